/**
 * What a provider costs the ledger does not depend on what it stores. Deals are sparse: all pieces of a deal are the
 * same, so its sum tree has one node per level, and the openings are real.
 */
import assert from 'node:assert/strict'
import process from 'node:process'
import { u64be } from '../../src/base/bytes.ts'
import { domainHash } from '../../src/base/hash.ts'
import { GIB, LEAF_BYTES, MIB } from '../../src/base/limits.ts'
import { newBudget, type TxContext } from '../../src/ledger/machine/context.ts'
import { constantVersions } from '../../src/ledger/machine/versions.ts'
import { defaultParams } from '../../src/ledger/params.ts'
import { setContents, takeSlot } from '../../src/ledger/rules/slots.ts'
import { Overlay } from '../../src/ledger/state/overlay.ts'
import { deals } from '../../src/ledger/state/tables.ts'
import type { DealRecord } from '../../src/ledger/types/records.ts'
import { proofHeight } from '../../src/node/provider/schedule.ts'
import { commitPiece } from '../../src/proofs/index.ts'
import { openLeaf } from '../../src/proofs/leaf.ts'
import type { Opening } from '../../src/proofs/opening.ts'
import { hashOf, innerNode, leafNode, type SumNode } from '../../src/proofs/sum-node.ts'
import { client, provider } from './deal-support.ts'
import { keyOf, TestChain, testGenesis } from './support.ts'

const LEAVES_PER_PROOF = defaultParams().leavesPerProof
const FLAT_WITHIN = 2
const TIB = 1024 * GIB
const GROUP_LEAVES = 16

interface SparseDeal {
  pieceBytes: number
  piece: ReturnType<typeof commitPiece>
  /** Level 0 is one piece; each one above has the one below twice. */
  levels: SumNode[]
}

function sparseDeal(bytes: number): SparseDeal {
  const pieceBytes = Math.min(bytes, 64 * MIB)
  const piece = commitPiece(new Uint8Array(pieceBytes))
  const levels: SumNode[] = [leafNode({ root: piece.root, bytes: pieceBytes })]
  while (levels.at(-1)!.bytes < bytes) levels.push(innerNode(levels.at(-1)!, levels.at(-1)!))
  return { pieceBytes, piece, levels }
}

function openingOf({ pieceBytes, piece, levels }: SparseDeal, leafIndex: bigint): Opening {
  const perPiece = BigInt(levels[0]!.leaves)
  const slot = Number(leafIndex / perPiece)
  const leafInPiece = Number(leafIndex % perPiece)
  const group = Math.floor(leafInPiece / GROUP_LEAVES)
  const groupBytes = Math.min(
    GROUP_LEAVES * LEAF_BYTES,
    pieceBytes - group * GROUP_LEAVES * LEAF_BYTES
  )
  const { leaf, path } = openLeaf({
    groupCvs: piece.groupCvs,
    pieceBytes,
    groupBytes: new Uint8Array(groupBytes),
    leafIndex: leafInPiece
  })
  const slotPath = levels
    .slice(0, -1)
    .map(node => ({ hash: hashOf(node), leaves: BigInt(node.leaves) }))
  return { slot, pieceRoot: piece.root, pieceBytes, slotPath, leaf, leafPath: path }
}

/** A provider with so many deals, all alike, without the transactions that made them. */
function chainWith(count: number, deal: SparseDeal): TestChain {
  const chain = new TestChain(
    testGenesis({ alice: 10n ** 9n, bob: 10n ** 9n }, { leavesPerProof: LEAVES_PER_PROOF })
  )
  chain.register(provider)
  const template = chain.record(chain.deal(client, provider, { endPeriod: 30n }))
  const { state, params, network, height, period } = chain
  const feeAccount = keyOf('validator').publicKey
  const sender = provider.publicKey
  const budget = newBudget()
  const ctx: TxContext = { state, params, network, height, period, feeAccount, sender, budget }
  const top = deal.levels.at(-1)!
  const contents = {
    revision: 1n,
    root: hashOf(top),
    leaves: BigInt(top.leaves),
    bytes: BigInt(top.bytes)
  }
  for (let i = 0; i < count; i++) {
    const id = domainHash('test/sparse-deal', u64be(i))
    const slot = takeSlot(ctx, provider.publicKey, id)
    const empty: DealRecord = {
      ...template,
      slot,
      contents: constantVersions(template.contents.v2)
    }
    state.put(deals, id, setContents(ctx, empty, contents))
  }
  chain.toPeriod(1n)
  return chain
}

describe('the cost of a provider', function () {
  this.timeout(120_000)

  it('in bytes and time per period is flat from 1 to 10,000 deals and 1 GiB to 1 PiB', () => {
    const rows: { what: string; bytes: number; ms: number }[] = []
    for (const count of [1, 100, 10_000]) {
      for (const bytes of [GIB, TIB, 1024 * TIB]) {
        const deal = sparseDeal(Math.ceil(bytes / count))
        const chain = chainWith(count, deal)
        const { leaves } = chain.challenge(provider, 1n)!
        const openings = leaves.map(({ leafIndex }) => openingOf(deal, leafIndex))
        const tx = chain.encode(provider, { kind: 'proof', payload: { period: 1n, openings } })
        const ms = Math.min(...Array.from({ length: 8 }, () => timeOf(chain, tx)))
        rows.push({ what: `${count} deals, ${bytes / GIB} GiB`, bytes: tx.length, ms })
      }
    }
    for (const measure of ['bytes', 'ms'] as const) {
      const values = rows.map(row => row[measure])
      const ratio = Math.max(...values) / Math.min(...values)
      assert.ok(ratio <= FLAT_WITHIN, `${measure} differ by ${ratio}: ${JSON.stringify(rows)}`)
    }
  })

  it('of settling a deal is the same after one revision and after 10,000', () => {
    const reads = (revisions: number): { reads: number; writes: number } => {
      const chain = new TestChain(testGenesis({ alice: 10n ** 12n, bob: 10n ** 9n }))
      chain.register(provider)
      const id = chain.deal(client, provider, { priceUnitsPerGiBPeriod: 1n, endPeriod: 30n })
      const root = new Uint8Array(32)
      for (let i = 1; i <= revisions; i++) {
        if (i % 2_000 === 0) chain.toPeriod(chain.period + 1n)
        const contents = { dealId: id, revision: BigInt(i), root, leaves: 1n, bytes: 1n }
        assert.equal(chain.revise(client, provider, contents), 'ok')
      }
      chain.toPeriod(10n)
      return countOf(chain, () =>
        assert.equal(chain.send(client, { kind: 'dealSettle', payload: { dealId: id } }), 'ok')
      )
    }
    assert.deepEqual(reads(10_000), reads(1))
  })

  it('is spread: no block gets more than its share of the proofs of a period', () => {
    const providers = 20_000
    const heights = 1_000
    for (const period of [1n, 2n, 77n]) {
      const counts = new Map<bigint, number>()
      for (let i = 0; i < providers; i++) {
        const height = proofHeight(domainHash('test/spread', u64be(i)), period, heights)
        counts.set(height, (counts.get(height) ?? 0) + 1)
      }
      const mean = providers / (heights / 2)
      const most = Math.max(...counts.values())
      // five standard deviations of a Poisson count
      assert.ok(most <= mean + 5 * Math.sqrt(mean), `${most} in one block, ${mean} on average`)
      assert.ok(counts.size >= 499)
    }
  })
})

/** CPU milliseconds of one application, on a state that is dropped afterwards. */
function timeOf(chain: TestChain, tx: Uint8Array): number {
  const fork = chain.fork()
  const start = process.cpuUsage()
  assert.equal(fork.apply(tx), 'ok')
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

/** Records read and changed by what `act` does. */
function countOf(chain: TestChain, act: () => void): { reads: number; writes: number } {
  let reads = 0
  const { read } = Overlay.prototype
  Overlay.prototype.read = function (record) {
    reads++
    return read.call(this, record)
  }
  const before = chain.state.changes().length
  try {
    act()
  } finally {
    Overlay.prototype.read = read
  }
  return { reads, writes: chain.state.changes().length - before }
}
