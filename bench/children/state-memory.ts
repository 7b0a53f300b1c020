/**
 * What a process needs to work on a large state: opens the database that it is given, commits blocks, walks through it as
 * a snapshot does, and says how much memory it had before and at most.
 *
 *   node state-memory.ts FOLDER RECORDS
 */
import process from 'node:process'
import { encodeChunk } from '../../src/ledger/snapshot/chunk.ts'
import { chunksOf } from '../../src/ledger/snapshot/make.ts'
import { openLedgerDb, StateStore } from '../../src/ledger/state/store.ts'
import { forgetPeak, memoryOf } from '../support/process-facts.ts'
import { commitBlock } from '../support/state.ts'

const BLOCKS = 100

const [folder, records] = process.argv.slice(2)
await forgetPeak(process.pid)
const { residentMiB: idleMiB } = await memoryOf(process.pid)
const db = await openLedgerDb(folder!)
const store = new StateStore(db)
for (let block = 0; block < BLOCKS; block++) await commitBlock(store, Number(records), block)
let chunkBytes = 0
for await (const chunk of chunksOf(store.newest, 1n)) chunkBytes += encodeChunk(chunk).length
const { peakMiB } = await memoryOf(process.pid)
await store.close()
await db.close()
process.stdout.write(JSON.stringify({ idleMiB, peakMiB, chunkBytes }))
