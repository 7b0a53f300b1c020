/** The ledger's part of a bundle: records of deals and their providers under one header, and the way to that header. */
import { compare, toHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import { type BundleRecord, pathTo } from '../../evidence/index.ts'
import {
  type Checkpoint,
  encodeLightBlock,
  type LightBlock,
  type Params,
  type Replica,
  stateProofType,
  summaryOf,
  toWireProof,
  trustedOf,
  trustGenesis
} from '../../ledger/index.ts'
import { genesisSummaryType } from '../../ledger/light/genesis-summary.ts'
import { placeOf } from '../../ledger/machine/proven.ts'
import { paramsType } from '../../ledger/params.ts'
import {
  type DealRecord,
  dealType,
  type ProviderRecord,
  providerType
} from '../../ledger/types/records.ts'

/** Chunks of 256 periods shown of each provider, the newest. */
const CHUNKS_MAX = 16n
const CHUNK_PERIODS = 256n
const ONLY = new Uint8Array(0)

export interface LedgerEvidence {
  /** In the order of a bundle. */
  records: BundleRecord[]
  /** Newest revision of each deal, by id in hex. */
  revisions: ReadonlyMap<string, bigint>
  path: LedgerPath
}

export interface LedgerPath {
  genesis: Uint8Array | undefined
  blocks: Uint8Array[]
  /** Where the trust has to start when the way from the genesis is forgotten. */
  checkpoint: Checkpoint | undefined
}

/** Undefined right after a start, and for a deal opened in the newest block. */
export function ledgerEvidence(
  replica: Replica,
  deals: readonly Uint8Array[]
): LedgerEvidence | undefined {
  const collector = new Collector(replica)
  const params = collector.add('params', ONLY)
  if (params === undefined) return undefined
  const revisions = new Map<string, bigint>()
  for (const id of deals) {
    const value = collector.add('deals', id)
    if (value === undefined) return undefined
    const deal = dealType.deserialize(value)
    revisions.set(toHex(id), deal.contents.v2.revision)
    const provider = collector.add('providers', deal.provider)
    if (provider === undefined) return undefined
    addChunks(collector, paramsType.deserialize(params), deal, providerType.deserialize(provider))
  }
  const target = replica.light.block(collector.headerHeight)
  if (target === undefined) return undefined
  return { records: collector.sorted(), revisions, path: pathOf(replica, target) }
}

function addChunks(
  collector: Collector,
  params: Params,
  { provider, startPeriod }: DealRecord,
  { provenNext }: ProviderRecord
): void {
  if (provenNext === 0n || startPeriod === 0n) return
  const newest = (provenNext - 1n) / CHUNK_PERIODS
  const first = startPeriod / CHUNK_PERIODS
  const oldest = newest - CHUNKS_MAX + 1n
  for (let index = first > oldest ? first : oldest; index <= newest; index++) {
    collector.add('provenChunks', placeOf(params, provider, index))
  }
}

/** From the genesis if every block on the way is known, else from the target itself. */
function pathOf(replica: Replica, target: LightBlock): LedgerPath {
  const start = trustGenesis(replica.genesis)
  try {
    const blocks = pathTo(start, target, height => replica.light.block(height))
    const genesis = genesisSummaryType.serialize(summaryOf(replica.genesis))
    return { genesis, blocks: blocks.map(encodeLightBlock), checkpoint: undefined }
  } catch (error) {
    if (!HoldfastError.is(error, 'NOT_FOUND')) throw error
    const { height, blockHash } = trustedOf(replica.network, target)
    const checkpoint = { height, blockHash }
    return { genesis: undefined, blocks: [encodeLightBlock(target)], checkpoint }
  }
}

/** Records under the header that the replica serves now; no await may come between. */
class Collector {
  readonly #replica: Replica
  readonly #found = new Map<string, BundleRecord>()
  headerHeight = 0n

  constructor(replica: Replica) {
    this.#replica = replica
  }

  /** The value of a record; undefined when there is none, or no proof yet. */
  add(table: string, key: Uint8Array): Uint8Array | undefined {
    const served = this.#replica.light.record(table, key)
    const value = served?.record.value
    if (served === undefined || value === undefined) return undefined
    this.headerHeight = served.headerHeight
    const proof = stateProofType.serialize(toWireProof(served.record.proof))
    const name = `${table}/${toHex(key)}`
    this.#found.set(name, { table, key, value, proof })
    return value
  }

  sorted(): BundleRecord[] {
    return [...this.#found.values()].sort((a, b) =>
      a.table < b.table ? -1 : a.table > b.table ? 1 : compare(a.key, b.key)
    )
  }
}
