/**
 * What a provider costs the ledger does not depend on what it stores. Deals are sparse: all pieces of a deal are the
 * same, so its sum tree has one node per level, and the openings are real.
 */
import assert from 'node:assert/strict'
import { u64be } from '../../src/base/bytes.ts'
import { domainHash } from '../../src/base/hash.ts'
import { GIB, LEAF_BYTES, MIB } from '../../src/base/limits.ts'
import { newBudget, type TxContext } from '../../src/ledger/machine/context.ts'
import { constantVersions } from '../../src/ledger/machine/versions.ts'
import { defaultParams } from '../../src/ledger/params.ts'
import { setContents, takeSlot } from '../../src/ledger/rules/slots.ts'
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
/** The deal, its slot and three pages of the leaf tree per draw, and what every proof reads. */
const READS_MAX = LEAVES_PER_PROOF * 5 + 16
const PIB = 1024 * 1024 * GIB
/** Deals and bytes of a provider. */
const CORNERS = [
  [1, GIB],
  [1, PIB],
  [100, 1024 * GIB],
  [10_000, GIB],
  [10_000, PIB]
] as const
const GROUP_LEAVES = 16

/** Of one of the three segments of a settlement: the proofs up to its first and to its last period. */
const READS_PER_VERSION = 2

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

function contextOf({ state, params, network, height, period }: TestChain): TxContext {
  const feeAccount = keyOf('validator').publicKey
  const sender = provider.publicKey
  return { state, params, network, height, period, feeAccount, sender, budget: newBudget() }
}

/** A provider with so many deals, all alike, without the transactions that made them. */
function chainWith(count: number, deal: SparseDeal): TestChain {
  const chain = new TestChain(
    testGenesis({ alice: 10n ** 9n, bob: 10n ** 9n }, { leavesPerProof: LEAVES_PER_PROOF })
  )
  chain.register(provider)
  const template = chain.record(chain.deal(client, provider, { endPeriod: 30n }))
  const ctx = contextOf(chain)
  const { state } = chain
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

  it('in bytes and records per period is flat from 1 to 10,000 deals and 1 GiB to 1 PiB', () => {
    const rows = CORNERS.map(([count, bytes]) => {
      const deal = sparseDeal(Math.ceil(bytes / count))
      const chain = chainWith(count, deal)
      const { leaves } = chain.challenge(provider, 1n)!
      const openings = leaves.map(({ leafIndex }) => openingOf(deal, leafIndex))
      const tx = chain.encode(provider, { kind: 'proof', payload: { period: 1n, openings } })
      const what = `${count} deals, ${bytes / GIB} GiB`
      return { what, bytes: tx.length, ...costOf(chain, tx) }
    })
    const lengths = rows.map(row => row.bytes)
    assert.ok(Math.max(...lengths) <= FLAT_WITHIN * Math.min(...lengths), JSON.stringify(rows))
    for (const { what, reads, changes } of rows) {
      assert.ok(reads <= READS_MAX, `${what}: ${reads} records read`)
      assert.equal(changes, rows[0]!.changes, what)
    }
  })

  it('of settling a deal does not depend on how often it was revised', () => {
    const contents = { root: new Uint8Array(32), leaves: 1n, bytes: 1n }
    const cost = (revisions: number): { reads: number; changes: number } => {
      const chain = new TestChain(testGenesis({ alice: 10n ** 9n, bob: 10n ** 9n }))
      chain.register(provider)
      const id = chain.deal(client, provider, { endPeriod: 30n })
      for (let i = 1; i <= revisions; i++) {
        if (i % Math.ceil(revisions / 5) === 0) chain.toPeriod(chain.period + 1n)
        const revised = setContents(contextOf(chain), chain.record(id), {
          ...contents,
          revision: BigInt(i)
        })
        chain.state.put(deals, id, revised)
      }
      chain.toPeriod(10n)
      const payload = { dealId: id }
      return costOf(chain, chain.encode(client, { kind: 'dealSettle', payload }))
    }
    assert.deepEqual(cost(10_000), cost(10))
    assert.ok(cost(10_000).reads <= cost(1).reads + 2 * READS_PER_VERSION)
    assert.equal(cost(10_000).changes, cost(1).changes)
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

/** Records read and changed by a transaction. */
function costOf(chain: TestChain, tx: Uint8Array): { reads: number; changes: number } {
  let reads = 0
  const fork = chain.fork(record => {
    reads++
    return chain.state.read(record)
  })
  assert.equal(fork.apply(tx), 'ok')
  return { reads, changes: fork.state.changes().length }
}
