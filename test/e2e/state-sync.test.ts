/**
 * A node that joins late, by state sync, and one that has no replica at all:
 *
 *   4 validators, transfers, snapshots every 6 blocks
 *   fresh home ── headers from genesis, 2 witnesses ── chunks from several ──> same state hash, no old blocks
 *   its daemon stopped ── light client ──> the same head and balance, with proofs; a proof file, offline
 */
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type {
  LedgerAccount,
  LedgerBlock,
  LedgerStatus,
  LedgerTx,
  SendResult
} from '../../src/index.ts'
import { createControlClient } from '../../src/node/control/client.ts'
import { failureOf, Network, until } from './network.ts'

const SNAPSHOT_EVERY = 6
const TRANSFERS = 3

describe('a node that joins late', function () {
  this.timeout(240_000)
  let net: Network
  let home: string
  before(async () => {
    const env = { HOLDFAST_SNAPSHOT_EVERY_HEIGHTS: `${SNAPSHOT_EVERY}` }
    net = await Network.start({ providers: 0, validators: 4, period: '2s', env })
    home = net.file('late')
    await mkdir(home)
  })
  after(() => net?.dispose())

  const fresh = { api: undefined as unknown as ReturnType<typeof createControlClient> }
  let sent: SendResult

  async function sameAt(status: LedgerStatus): Promise<void> {
    const { appHash, blockHash } = await net.client.api.ledgerBlock(status.height)
    assert.deepEqual([status.appHash, status.blockHash], [appHash, blockHash])
  }

  it('begins with a snapshot and has the same state', async () => {
    const { address } = await net.validator.api.walletAddress()
    for (let i = 0; i < TRANSFERS; i++) sent = await net.client.api.walletSend(address, 7n)
    const goal = sent.height + SNAPSHOT_EVERY + 2
    await until(`the network reaches ${goal}`, async () => {
      return (await net.client.api.ledgerStatus()).height >= goal
    })
    await net.result(['init', '--network-of', net.client.home], { home })
    const start = ['start', '--detach', '--set', 'stateSyncBehindHeights=4']
    const { pid } = await net.result<{ pid: number }>(start, { home })
    net.adopt(pid)
    fresh.api = createControlClient({ home })
    const status = await fresh.api.ledgerStatus()
    await sameAt(status)
    assert.match(await readFile(`${home}/daemon.log`, 'utf8'), /state-sync\.done/)
    failureOf(await net.run(['ledger', 'block', '1'], { home }), 'NOT_FOUND')
    const { height } = await net.client.api.ledgerStatus()
    await until(`it follows to ${height + 2}`, async () => {
      return (await fresh.api.ledgerStatus()).height >= height + 2
    })
    await sameAt(await fresh.api.ledgerStatus())
  })

  it('shows a transaction where its block is', async () => {
    const tx = await net.result<LedgerTx>(['ledger', 'tx', sent.tx])
    assert.deepEqual([tx.height, tx.kind, tx.ok], [sent.height, 'transfer', true])
    const block = await net.result<LedgerBlock>(['ledger', 'block', `${sent.height}`])
    assert.equal(block.txs[tx.index]?.hash, sent.tx)
    failureOf(await net.run(['ledger', 'tx', '00'.repeat(32)]), 'NOT_FOUND')
  })

  it('makes proof files that hold offline', async () => {
    const { address } = await net.client.api.walletAddress()
    const file = net.file('balance.proof')
    const made = ['ledger', 'prove', 'account', address, '-o', file]
    const { height } = await net.result<{ height: number }>(made)
    const verify = ['ledger', 'verify', file, '--genesis', `${net.client.home}/genesis.json`]
    const nowhere = { home: net.file('nowhere') }
    const report = await net.result<Record<string, unknown>>(verify, nowhere)
    assert.deepEqual([report['key'], report['height'], report['exists']], [address, height, true])
    const bytes = await readFile(file)
    bytes[bytes.length >> 1]! ^= 1
    await writeFile(file, bytes)
    const done = await net.run(verify, nowhere)
    assert.equal(done.code, 1)
    assert.match(done.stderr, /"code":"(PROOF|BLOCK)_INVALID"|WRONG_NETWORK/)
  })

  it('is a light client when its daemon does not run', async () => {
    await fresh.api.requestStop()
    const status = await lightly<LedgerStatus>('status')
    await sameAt(status)
    const { address } = await net.validator.api.walletAddress()
    const account = await lightly<LedgerAccount>('account', address)
    const shown = await net.result<LedgerAccount>(['ledger', 'account', address])
    assert.ok(account.available >= 0n && account.height >= status.height)
    assert.equal(account.nonce, shown.nonce)
    const few = ['ledger', 'status', '--light', '--witnesses', '7']
    const { hint } = failureOf(await net.run(few, { home }), 'TOO_FEW_WITNESSES')
    assert.match(hint ?? '', /--witnesses 1/)
  })

  /** Asks until the daemon is gone, and then without one. */
  async function lightly<T>(...args: string[]): Promise<T> {
    const done = await net.run(['ledger', ...args, '--light'], { home })
    assert.equal(done.code, 0, done.stderr)
    const answer = done.json() as T & { light: { witnesses: number; faulty: unknown[] } }
    assert.deepEqual([answer.light.witnesses, answer.light.faulty], [2, []])
    return answer
  }
})
