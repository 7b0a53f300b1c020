/**
 * Checks a bundle of evidence from its bytes alone, and says what it shows. Pure; runs in Node and in browsers. The
 * reader brings what it trusts: the genesis hash, or a checkpoint.
 */
import { toHex } from '../base/bytes.ts'
import type { Hash } from '../base/hash.ts'
import { genesisSummaryType, trustGenesisHash } from '../ledger/light/genesis-summary.ts'
import type { ProofTrust } from '../ledger/light/proof-file.ts'
import { verifyRecord } from '../ledger/light/record.ts'
import { type Trusted, trustCheckpoint } from '../ledger/light/trust.ts'
import { decodeLightBlock, fromWireProof, stateProofType } from '../ledger/light/types.ts'
import { CLOCK_DRIFT_MS_DEFAULT, TRUSTING_PERIOD_MS_DEFAULT } from '../ledger/light/verify.ts'
import { type Params, periodAt } from '../ledger/params.ts'
import type { Header } from '../ledger/types/block.ts'
import { decodeStrict } from '../ledger/types/ssz.ts'
import { decodeBundle, type EvidenceBundle, invalid } from './bundle.ts'
import { dealEvidence } from './deal-evidence.ts'
import { objectEvidence } from './object-evidence.ts'
import { followBlocks } from './path.ts'
import { Records } from './records.ts'
import type { EvidenceReport } from './types.ts'

export interface VerifyEvidenceInit {
  /** What the reader trusts. */
  trust: ProofTrust
  /** Reader's clock. */
  nowMs: bigint
}

/**
 * @throws HoldfastError PROOF_INVALID (bundle, record, slot, signature), BLOCK_INVALID (a light block), TRUST_EXPIRED
 *   (blocks too far apart), WRONG_NETWORK
 */
export function verifyEvidence(
  bytes: Uint8Array,
  { trust, nowMs }: VerifyEvidenceInit
): EvidenceReport {
  const bundle = decodeBundle(bytes)
  const { start, end } = trustedOf(bundle, trust)
  const header = headerOf(end)
  if (header.timeMs > nowMs + CLOCK_DRIFT_MS_DEFAULT) throw invalid('is from the future')
  const records = recordsOf(bundle, header)
  const params = records.take('params', new Uint8Array(0)) as Params | undefined
  if (params === undefined) throw invalid('does not show the parameters')
  const height = header.height - 1n
  const period = periodAt(params, height)
  const { network } = end
  const deals = records
    .keysOf('deals')
    .map(id => dealEvidence({ id, records, bundle, network, period }))
  if (deals.length === 0) throw invalid('shows no deal')
  records.assertAllUsed()
  const object = bundle.map && objectEvidence(bundle, bundle.map, network)
  assertHoldingsUsed(
    bundle,
    deals.map(({ id }) => id)
  )
  return {
    chainId: network.chainId,
    genesisHash: toHex(network.genesisHash),
    ...{ height: Number(height), period: Number(period), timeMs: Number(header.timeMs) },
    headerHash: toHex(end.blockHash),
    trustIsRecent: start.timeMs + TRUSTING_PERIOD_MS_DEFAULT > nowMs,
    deals,
    ...(object && { object })
  }
}

function trustedOf(bundle: EvidenceBundle, trust: ProofTrust): { start: Trusted; end: Trusted } {
  const blocks = bundle.blocks.map(decodeLightBlock)
  if ('genesisHash' in trust) {
    const start = genesisOf(bundle, trust.genesisHash)
    return { start, end: followBlocks(start, blocks) }
  }
  const { network, checkpoint } = trust
  const at = blocks.findIndex(({ header }) => header.height === checkpoint.height)
  if (at < 0 || (at > 0 && bundle.genesis === undefined)) {
    throw invalid('does not begin with the block of the checkpoint')
  }
  const start = trustCheckpoint(network, checkpoint, blocks[at]!)
  // What leads to the checkpoint is for readers who trust the genesis: it has to be sound, too.
  if (bundle.genesis !== undefined) {
    followBlocks(genesisOf(bundle, network.genesisHash), blocks.slice(0, at + 1))
  }
  return { start, end: followBlocks(start, blocks.slice(at + 1)) }
}

function genesisOf({ genesis }: EvidenceBundle, genesisHash: Hash): Trusted {
  if (genesis === undefined) throw invalid('does not bring the genesis: it needs a checkpoint')
  const summary = decodeStrict(genesisSummaryType, genesis, 'the genesis', 'PROOF_INVALID')
  return trustGenesisHash(genesisHash, summary)
}

function headerOf({ block }: Trusted): Header {
  if (block === undefined) throw invalid('has no light block')
  return block.header
}

function recordsOf(bundle: EvidenceBundle, header: Header): Records {
  const records = new Records()
  assertAscending(bundle.records.map(({ table, key }) => `${table}/${toHex(key)}`))
  for (const { table, key, value, proof: proofBytes } of bundle.records) {
    const wire = decodeStrict(stateProofType, proofBytes, 'a state proof', 'PROOF_INVALID')
    const proven = { table, key, value, proof: fromWireProof(wire) }
    records.add(table, key, verifyRecord(header, proven).value)
  }
  return records
}

/** Nothing rides along that nobody looked at. */
function assertHoldingsUsed({ holdings }: EvidenceBundle, deals: readonly string[]): void {
  const known = new Set(deals)
  if (holdings.some(({ deal }) => !known.has(toHex(deal)))) {
    throw invalid('shows pieces of a deal that it does not show')
  }
  assertAscending(
    holdings.flatMap(({ deal, pieces }) => pieces.map(({ slot }) => `${toHex(deal)}/${hex(slot)}`))
  )
}

/** Eight digits: sorts like the number. */
function hex(slot: number): string {
  return slot.toString(16).padStart(8, '0')
}

function assertAscending(names: readonly string[]): void {
  const isSorted = names.every((name, i) => i === 0 || names[i - 1]! < name)
  if (!isSorted) throw invalid('is not in order')
}
