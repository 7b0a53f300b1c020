/** One deal in a bundle: what it held, what was proven of it, what was paid. */
import { addressOf } from '../base/address.ts'
import { equal, toHex } from '../base/bytes.ts'
import { type Revision, revisionType, verifyRevision } from '../ledger/types/deal.ts'
import type { NetworkId } from '../ledger/types/network.ts'
import type { Contents, DealRecord, ProvenChunk, ProviderRecord } from '../ledger/types/records.ts'
import { decodeStrict } from '../ledger/types/ssz.ts'
import { verifySlots } from '../proofs/audit-slots.ts'
import { type BundleHolding, type EvidenceBundle, invalid } from './bundle.ts'
import type { Records } from './records.ts'
import type { ContentsEvidence, DealEvidence } from './types.ts'

const CHUNK_PERIODS = 256n
const ACCOUNT_BYTES = 32

interface DealInit {
  id: Uint8Array
  records: Records
  bundle: EvidenceBundle
  network: NetworkId
  /** Of the state. */
  period: bigint
}

/** @throws HoldfastError PROOF_INVALID */
export function dealEvidence({ id, records, bundle, network, period }: DealInit): DealEvidence {
  const deal = records.take('deals', id) as DealRecord
  const provider = records.take('providers', deal.provider) as ProviderRecord | undefined
  if (provider === undefined) throw invalid('does not show the provider of a deal')
  const proven = provenPeriods(records, deal.provider)
  const holdings = bundle.holdings.filter(each => equal(each.deal, id))
  const promised = holdings
    .map(holding => checkHolding(deal, holding, { id, network }))
    .reduce((newest, each) => (isNewer(each, newest) ? each : newest), undefined)
  return {
    id: toHex(id),
    client: addressOf(deal.client),
    provider: addressOf(deal.provider),
    peerKey: toHex(provider.peerKey),
    priceUnitsPerGiBPeriod: deal.priceUnitsPerGiBPeriod,
    escrowUnits: deal.escrowUnits,
    collateralUnits: deal.collateralUnits,
    paidUnits: deal.paidUnits,
    endPeriod: Number(deal.endPeriod),
    closed: deal.closed !== 0,
    provenPeriods: Number(deal.provenPeriods) + unsettled(deal, proven),
    missedPeriods: Number(deal.missedPeriods),
    ...(provider.provenNext === 0n ? {} : { lastProvenPeriod: Number(provider.provenNext) - 1 }),
    contents: contentsOf(deal, proven, period),
    ...(promised && {
      promised: {
        revision: Number(promised.revision),
        root: toHex(promised.root),
        leaves: Number(promised.leaves),
        bytes: Number(promised.bytes)
      }
    }),
    pieces: holdings.reduce((sum, { pieces }) => sum + pieces.length, 0)
  }
}

function isNewer(a: Revision | undefined, b: Revision | undefined): boolean {
  return a !== undefined && (b === undefined || a.revision > b.revision)
}

/** Proven periods of a provider that the bundle shows. */
function provenPeriods(records: Records, provider: Uint8Array): Set<bigint> {
  const periods = new Set<bigint>()
  for (const key of records.keysOf('provenChunks')) {
    if (!equal(key.subarray(0, ACCOUNT_BYTES), provider)) continue
    const { index, bits } = records.take('provenChunks', key) as ProvenChunk
    for (let bit = 0; bit < Number(CHUNK_PERIODS); bit++) {
      const isSet = ((bits[bit >> 3]! >> (bit & 7)) & 1) === 1
      if (isSet) periods.add(index * CHUNK_PERIODS + BigInt(bit))
    }
  }
  return periods
}

/** Periods with leaves, proven, and not settled yet. */
function unsettled(deal: DealRecord, proven: ReadonlySet<bigint>): number {
  let count = 0
  for (const period of proven) {
    const isDue = period >= deal.settledTo && period <= deal.endPeriod
    if (isDue && contentsAt(deal, period).leaves > 0n) count++
  }
  return count
}

/** Exact from contents.period - 2 on: what held before is not on the ledger any more. */
function contentsAt({ contents }: DealRecord, period: bigint): Contents {
  if (period >= contents.period) return contents.v2
  return period === contents.period - 1n ? contents.v1 : contents.v0
}

function contentsOf(
  deal: DealRecord,
  proven: ReadonlySet<bigint>,
  now: bigint
): ContentsEvidence[] {
  const { period, v0, v1, v2 } = deal.contents
  const versions = [
    { contents: v0, from: period - 2n, to: period - 2n },
    { contents: v1, from: period - 1n, to: period - 1n },
    { contents: v2, from: period, to: undefined }
  ]
  const found: ContentsEvidence[] = []
  for (const { contents, from, to } of versions) {
    if (contents.leaves === 0n || from < 0n) continue
    const last = found.at(-1)
    const isSame = last !== undefined && last.root === toHex(contents.root)
    const start = isSame ? last.fromPeriod : Number(from)
    const end = to ?? (deal.endPeriod < now ? deal.endPeriod : now)
    if (isSame) found.pop()
    found.push({
      revision: Number(contents.revision),
      root: toHex(contents.root),
      leaves: Number(contents.leaves),
      bytes: Number(contents.bytes),
      fromPeriod: start,
      ...(to === undefined ? {} : { toPeriod: Number(to) }),
      provenPeriods: [...proven].filter(each => each >= BigInt(start) && each <= end).length
    })
  }
  return found
}

/** The tree that the pieces are shown in; undefined for the one on the ledger. @throws HoldfastError PROOF_INVALID */
function checkHolding(
  deal: DealRecord,
  { signed, pieces, proof }: BundleHolding,
  { id, network }: { id: Uint8Array; network: NetworkId }
): Revision | undefined {
  let tree: { root: Uint8Array; leaves: bigint } = deal.contents.v2
  let revision: Revision | undefined
  if (signed !== undefined) {
    revision = decodeStrict(revisionType, signed.revision, 'a revision', 'PROOF_INVALID')
    const isOurs = revision.chainId === network.chainId && equal(revision.dealId, id)
    const isSigned =
      verifyRevision(deal.client, revision, signed.clientSignature) &&
      verifyRevision(deal.provider, revision, signed.providerSignature)
    if (!isOurs || !isSigned || revision.revision <= deal.contents.v2.revision) {
      throw invalid('has a revision that is not signed by both sides, or not newer')
    }
    tree = revision
  }
  const shown = { dealRoot: tree.root, dealLeaves: tree.leaves, entries: pieces, proof }
  if (verifySlots(shown) === undefined) throw invalid('shows pieces that are not in their deal')
  return revision
}
