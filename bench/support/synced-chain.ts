/** A chain that leaves many records, and the two ways to get its state: all blocks, or a snapshot and the last ones. */
import { assert } from '../../src/base/assert.ts'
import { equal, u64be } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import type { SigningKey } from '../../src/base/keys.ts'
import { silentLogger } from '../../src/base/ports.ts'
import {
  createReplica,
  type FinalizedBlock,
  openLedgerDb,
  type Replica
} from '../../src/ledger/index.ts'
import { createLightClient } from '../../src/ledger/light/client.ts'
import { trustGenesis } from '../../src/ledger/light/trust.ts'
import type { SnapshotInfo } from '../../src/ledger/snapshot/keeper.ts'
import { SnapshotRestore } from '../../src/ledger/snapshot/restore.ts'
import { type BenchChain, benchKey, openBenchChain } from './chain.ts'
import { makeTempFolder } from './temp-folder.ts'

const SENDERS = 16
/** Below the mempool's limit per sender. */
const TRANSFERS_PER_SENDER = 32
/** Blocks above the snapshot. */
export const TAIL_BLOCKS = 10

export interface SyncedChain {
  /** Every block from the genesis on, into an empty ledger. */
  replay(): Promise<void>
  /** The snapshot and the blocks above it, into an empty ledger. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** @param records accounts that transfers make, one each */
export async function openSyncedChain(records: number, signal: AbortSignal): Promise<SyncedChain> {
  const senders = Array.from({ length: SENDERS }, (_, i) => benchKey(`sync-${i}`))
  const chain = await openBenchChain(senders)
  const { replica } = chain
  for (let made = 0; made < records; ) {
    signal.throwIfAborted()
    made += await payStrangers(chain, senders, made, records)
  }
  const info = await replica.snapshots.make()
  for (let i = 0; i < TAIL_BLOCKS; i++) await chain.include([])
  return {
    replay: () =>
      withReplica(replica, async fresh => {
        await applyBlocks(replica, fresh, signal)
      }),
    sync: () =>
      withReplica(
        replica,
        async restored => {
          await applyBlocks(replica, restored, signal)
        },
        db => restoreFrom(replica, info, db, signal)
      ),
    close: () => chain.close()
  }
}

async function payStrangers(
  chain: BenchChain,
  senders: readonly SigningKey[],
  first: number,
  end: number
): Promise<number> {
  const count = Math.min(SENDERS * TRANSFERS_PER_SENDER, end - first)
  const txs = Array.from({ length: count }, (_, i) => {
    const payload = { to: sha256(u64be(first + i)), amountUnits: 1n }
    const ahead = Math.floor(i / SENDERS)
    return chain.sign(senders[i % SENDERS]!, { kind: 'transfer', payload }, ahead)
  })
  await chain.include(txs)
  return count
}

type Db = Awaited<ReturnType<typeof openLedgerDb>>

/** An empty folder, filled by `prepare`, then opened as a replica that has to end where the source is. */
async function withReplica(
  source: Replica,
  work: (replica: Replica) => Promise<void>,
  prepare: (db: Db) => Promise<void> = async () => {}
): Promise<void> {
  const folder = await makeTempFolder()
  const db = await openLedgerDb(folder.path)
  try {
    await prepare(db)
    const replica = createReplica({ db, genesis: source.genesis, logger: silentLogger })
    await replica.open()
    await work(replica)
    assert(equal(replica.head().appHash, source.head().appHash), 'both have the same state')
    await replica.close()
  } finally {
    await db.close()
    await folder.remove()
  }
}

async function applyBlocks(source: Replica, to: Replica, signal: AbortSignal): Promise<void> {
  while (to.height < source.height) {
    signal.throwIfAborted()
    const { block, cert }: FinalizedBlock = {
      block: source.block(to.height + 1n)!,
      cert: source.certificate(to.height + 1n)!
    }
    await to.applyFinalized(block, cert)
  }
}

async function restoreFrom(
  source: Replica,
  { height, chunks }: SnapshotInfo,
  db: Db,
  signal: AbortSignal
): Promise<void> {
  const light = createLightClient({ trusted: trustGenesis(source.genesis), witnessesMin: 0 })
  const primary = {
    id: 'source',
    lightBlock: async (at: bigint | 'newest') =>
      source.light.block(at === 'newest' ? source.height : at)!
  }
  const nowMs = BigInt(source.head().timeMs)
  const { trusted: above } = await light.update({
    primary,
    witnesses: [],
    height: height + 1n,
    nowMs,
    signal
  })
  const restore = new SnapshotRestore(db)
  await restore.begin({ above, block: source.light.block(height)! })
  for (let i = 0; i < chunks; i++) {
    await restore.addChunk((await source.snapshots.chunk(height, i))!)
  }
  await restore.finish()
}
