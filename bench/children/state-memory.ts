/**
 * What a process needs to work on a large state: opens the database that it is given, commits blocks, walks through it
 * as a snapshot does, and says how much memory it had before and at most. Counted is what is the process's own: the
 * database maps its files, and the kernel takes those pages back when somebody needs them.
 *
 *   node state-memory.ts FOLDER RECORDS
 */
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { encodeChunk } from '../../src/ledger/snapshot/chunk.ts'
import { chunksOf } from '../../src/ledger/snapshot/make.ts'
import { openLedgerDb, StateStore } from '../../src/ledger/state/store.ts'
import { commitBlock } from '../support/state.ts'

const BLOCKS = 100
const KIB_PER_MIB = 1024

async function anonymousMiB(): Promise<number> {
  const text = await readFile('/proc/self/status', 'utf8')
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(text)?.[1]) / KIB_PER_MIB
}

const [folder, records] = process.argv.slice(2)
const idleMiB = await anonymousMiB()
let peakMiB = idleMiB
const sample = async (): Promise<void> => {
  peakMiB = Math.max(peakMiB, await anonymousMiB())
}
const db = await openLedgerDb(folder!)
const store = new StateStore(db)
for (let block = 0; block < BLOCKS; block++) {
  await commitBlock(store, Number(records), block)
  await sample()
}
let chunkBytes = 0
for await (const chunk of chunksOf(store.newest, 1n)) {
  chunkBytes += encodeChunk(chunk).length
  await sample()
}
await store.close()
await db.close()
process.stdout.write(JSON.stringify({ idleMiB, peakMiB, chunkBytes }))
