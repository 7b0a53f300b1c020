import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { equal, toHex } from '../../src/base/bytes.ts'
import { silentLogger } from '../../src/base/ports.ts'
import type { FinalizedBlock } from '../../src/ledger/engine.ts'
import { SNAPSHOT_CHUNK_BYTES_MAX } from '../../src/ledger/snapshot/chunk.ts'
import { SnapshotKeeper } from '../../src/ledger/snapshot/keeper.ts'
import { SnapshotRestore } from '../../src/ledger/snapshot/restore.ts'
import { chunkKey, RESTORING_KEY } from '../../src/ledger/state/keys.ts'
import { StateView } from '../../src/ledger/state/view.ts'
import { txHash } from '../../src/ledger/transaction.ts'
import {
  addValidator,
  beginRestore,
  chunksIn,
  client,
  extend,
  extendTo,
  Ledgers,
  NAMES,
  type OpenLedger,
  openDeals,
  provider,
  snapshotGenesis,
  TWO_CHUNKS,
  trustedAt
} from './snapshot-support.ts'

/** Hash of everything of the state and its tree. */
async function contentsOf({ db }: OpenLedger): Promise<string> {
  const view = new StateView(db)
  const hash = createHash('sha256')
  for (const letter of ['s', 't']) {
    const gte = Buffer.from(letter)
    const lt = Buffer.from([letter.charCodeAt(0) + 1])
    for await (const entry of view.entries({ gte, lt })) for (const part of entry) hash.update(part)
  }
  await view.close()
  return hash.digest('hex')
}

describe('snapshots', () => {
  const ledgers = new Ledgers()
  afterEach(() => ledgers.close())

  it('give a replica the same state as all blocks from the genesis', async () => {
    const genesis = snapshotGenesis(TWO_CHUNKS)
    const source = await ledgers.open(genesis, { snapshots: { everyHeights: 11n } })
    await openDeals(source, 5)
    await addValidator(source)
    await extendTo(source, 15n)
    await source.replica.snapshots.idle()
    const [info] = source.replica.snapshots.list()
    assert.equal(info?.height, 11n)
    assert.ok(info.chunks >= 2, `${info.chunks} chunks`)
    assert.equal(toHex(info.appHash), toHex(source.replica.stateHashAt(11n)!))

    const db = await ledgers.openDb()
    const restore = await beginRestore(source.replica, db, info)
    for (const chunk of await chunksIn(source.replica, info)) {
      assert.ok(chunk.length <= SNAPSHOT_CHUNK_BYTES_MAX)
      await restore.addChunk(chunk)
    }
    assert.deepEqual(restore.progress, {
      ...{ height: 11n, chunks: info.chunks, records: info.records, complete: true }
    })
    await restore.finish()

    const restored = await ledgers.open(genesis, { db })
    assert.equal(restored.replica.height, 11n)
    assert.equal(restored.replica.earliestHeight, 12n)
    const replayed = await ledgers.open(genesis)
    for (const { block, cert } of source.blocks) {
      if (block.header.height > 11n) await restored.replica.applyFinalized(block, cert)
      await replayed.replica.applyFinalized(block, cert)
    }
    for (const { replica } of [restored, replayed]) {
      assert.deepEqual(replica.head(), source.replica.head())
      assert.deepEqual(await replica.audit(), await source.replica.audit())
      for (const list of ['dealsOfClient', 'dealsOfProvider'] as const) {
        const account = list === 'dealsOfClient' ? client : provider
        const theirs = source.replica[list](account.publicKey)
        assert.equal(theirs.length, 5)
        assert.deepEqual(replica[list](account.publicKey), theirs)
      }
    }
    assert.equal(await contentsOf(restored), await contentsOf(replayed))
    assert.equal(restored.replica.block(11n), undefined)
    assert.ok(restored.replica.certificate(11n) !== undefined)
    assert.equal(restored.replica.validators().length, NAMES.length + 1)
    // and it can give a snapshot itself
    const again = await restored.replica.snapshots.make()
    const fromReplayed = await replayed.replica.snapshots.make()
    const theirs = await chunksIn(replayed.replica, fromReplayed)
    for (const [i, chunk] of (await chunksIn(restored.replica, again)).entries()) {
      assert.ok(equal(chunk, theirs[i]!))
    }
  })

  it('are of one height, whatever is committed meanwhile', async () => {
    const genesis = snapshotGenesis(TWO_CHUNKS)
    const source = await ledgers.open(genesis)
    await extendTo(source, 2n)
    const made = source.replica.snapshots.make()
    await extendTo(source, 5n)
    const info = await made
    assert.equal(info.height, 2n)
    const restore = await beginRestore(source.replica, await ledgers.openDb(), info)
    for (const chunk of await chunksIn(source.replica, info)) await restore.addChunk(chunk)
    await restore.finish()
  })

  it('are listed when whole, kept up to a number, and there after a restart', async () => {
    const path = ledgers.newPath()
    const db = await ledgers.openDb(path)
    const source = await ledgers.open(snapshotGenesis(), { db, snapshots: { keep: 2 } })
    for (const height of [1n, 2n, 3n]) {
      await extendTo(source, height)
      await source.replica.snapshots.make()
    }
    const { snapshots } = source.replica
    const heights = (): bigint[] => snapshots.list().map(({ height }) => height)
    assert.deepEqual(heights(), [2n, 3n])
    assert.equal(await snapshots.chunk(1n, 0), undefined)
    assert.equal(await snapshots.chunk(2n, 1), undefined)
    assert.equal(await snapshots.chunk(2n, -1), undefined)
    assert.equal(await db.get(Buffer.from(chunkKey(1n, 0))), undefined)
    // a chunk of one that did not get whole
    const torn = Buffer.from(chunkKey(9n, 0))
    await db.put(torn, Buffer.from([1]))
    const reopened = new SnapshotKeeper(db, {}, silentLogger)
    await reopened.open()
    assert.deepEqual(reopened.list(), snapshots.list())
    assert.ok((await reopened.chunk(3n, 0))!.length > 0)
    assert.equal(await db.get(torn), undefined)
  })

  it('are broken off when the replica closes', async () => {
    const source = await ledgers.open(snapshotGenesis(TWO_CHUNKS))
    await extendTo(source, 1n)
    const made = source.replica.snapshots.make()
    const failed = assert.rejects(made, { name: 'AbortError' })
    await source.replica.snapshots.close()
    await failed
  })

  it('leave nothing behind when a restore is interrupted', async () => {
    const genesis = snapshotGenesis(TWO_CHUNKS)
    const source = await ledgers.open(genesis)
    await extendTo(source, 1n)
    const info = await source.replica.snapshots.make()
    await extendTo(source, 2n)
    const chunks = await chunksIn(source.replica, info)
    const db = await ledgers.openDb()
    const first = await beginRestore(source.replica, db, info)
    await first.addChunk(chunks[0]!)
    await first.close()
    assert.ok((await db.get(Buffer.from(RESTORING_KEY))) !== undefined)
    // another attempt starts anew
    const second = await beginRestore(source.replica, db, info)
    assert.equal(second.progress.chunks, 0)
    await second.addChunk(chunks[0]!)
    await second.close()
    // and so does a replica
    const { replica } = await ledgers.open(genesis, { db })
    assert.equal(replica.height, 0n)
    assert.deepEqual(replica.stateHashAt(0n), source.replica.stateHashAt(0n))
    const [{ block, cert }] = source.blocks as [FinalizedBlock, ...FinalizedBlock[]]
    await replica.applyFinalized(block, cert)
    await assert.rejects(beginRestore(source.replica, db, info), { code: 'ALREADY_EXISTS' })
  })

  it('begin with a block that the light client has linked', async () => {
    const source = await ledgers.open(snapshotGenesis())
    await extendTo(source, 4n)
    const { replica } = source
    const restore = new SnapshotRestore(await ledgers.openDb())
    const above = await trustedAt(replica, 3n)
    const block = replica.light.block(2n)!
    const { block: _, ...genesisLike } = above
    for (const base of [
      { above, block: replica.light.block(1n)! },
      { above, block: replica.light.block(3n)! },
      { above, block: { ...block, cert: replica.light.block(3n)!.cert } },
      { above, block: { ...block, header: { ...block.header, timeMs: 1n } } },
      { above: genesisLike, block }
    ]) {
      await assert.rejects(restore.begin(base), { code: 'BLOCK_INVALID' })
    }
    await restore.begin({ above, block })
    await restore.close()
  })

  it('let old blocks go, but none that a snapshot builds on', async () => {
    const path = ledgers.newPath()
    const init = { retainHeights: 3n, snapshots: { keep: 1 } }
    const source = await ledgers.open(snapshotGenesis(), {
      db: await ledgers.openDb(path),
      ...init
    })
    const { replica } = source
    await extendTo(source, 4n)
    const [first] = replica.block(2n)!.txs
    assert.equal(replica.earliestHeight, 2n)
    assert.equal(replica.block(1n), undefined)
    assert.ok(replica.txResult(txHash(first!)) !== undefined)
    assert.equal(replica.certificate(1n), undefined)
    assert.equal(replica.stateHashAt(1n), undefined)
    await replica.snapshots.make()
    await extendTo(source, 12n)
    assert.equal(replica.earliestHeight, 4n)
    assert.ok(replica.light.block(4n) !== undefined)
    await replica.snapshots.make()
    await extend(source)
    assert.equal(replica.earliestHeight, 11n)
    assert.equal(replica.txResult(txHash(first!)), undefined)
    assert.equal(replica.block(10n), undefined)
    assert.equal(replica.light.block(11n)!.validators.length, NAMES.length)
  })
})
