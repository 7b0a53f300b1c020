/** Makes proof files from our replica: the light blocks that lead to a header, and a record under it. */
import { accountOfAddress } from '../base/address.ts'
import { fromHex, toHex } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import {
  createLightClient,
  encodeProofFile,
  type LightBlock,
  type LightSource,
  type Replica,
  type ServedRecord,
  summaryOf,
  type Trusted,
  trustedOf,
  trustGenesis
} from '../ledger/index.ts'
import type { ChainContext } from './chain/context.ts'
import { waitForBlock } from './chain/wait-for-block.ts'
import type { LedgerProof, ProvenKind } from './control/ledger-types.ts'
import { peerKeyOf } from './net/peer-id.ts'
import { systemClock } from './system.ts'

const NEXT_BLOCK_MS = 60_000
const TABLES: Readonly<Record<ProvenKind, string>> = {
  account: 'accounts',
  deal: 'deals',
  provider: 'providers'
}

/**
 * @param key an address; a deal id; an address or peer id of a provider
 * @param fromHeight block that the reader trusts; @default the genesis while it can be trusted, else the header itself
 * @throws HoldfastError INVALID_ARGUMENT (key), NOT_FOUND (a block that is not kept, a provider), TIMEOUT when there is
 *   no new block
 */
export async function proveRecord(
  chain: Pick<ChainContext, 'replica' | 'signal'>,
  { kind, key, fromHeight }: { kind: ProvenKind; key: string; fromHeight?: number }
): Promise<LedgerProof> {
  const { replica, signal } = chain
  const table = TABLES[kind]
  const recordKey = keyOf(replica, kind, key)
  const { record, headerHeight } = await served(replica, table, recordKey, signal)
  const way = await wayTo(replica, headerHeight, fromHeight, signal)
  const { start, blocks } = way
  const file = encodeProofFile({
    blocks,
    record,
    ...(start.height === 0n && { genesis: summaryOf(replica.genesis) })
  })
  return {
    kind,
    key,
    height: Number(headerHeight - 1n),
    exists: record.value !== undefined,
    genesisHash: toHex(replica.network.genesisHash),
    ...(start.height > 0n && {
      checkpoint: { height: Number(start.height), blockHash: toHex(start.blockHash) }
    }),
    bytes: file.length,
    file: Buffer.from(file).toString('base64')
  }
}

function keyOf(replica: Replica, kind: ProvenKind, key: string): Uint8Array {
  if (kind === 'account') return accountOfAddress(key)
  if (kind === 'deal') {
    if (/^[0-9a-f]{64}$/.test(key)) return fromHex(key)
    throw new HoldfastError('INVALID_ARGUMENT', `not a deal id: ${key}`, {
      hint: '64 hex digits; `holdfast deals` lists them'
    })
  }
  const isPeerId = key.startsWith('12D3Koo')
  if (!isPeerId) return accountOfAddress(key)
  const provider = replica.providerByPeerKey(peerKeyOf(key))
  if (provider !== undefined) return provider.account
  throw new HoldfastError('NOT_FOUND', `the ledger has no provider ${key}`)
}

/** Right after its start a replica has no proof of its newest state: it waits for the next block. */
async function served(
  replica: Replica,
  table: string,
  key: Uint8Array,
  signal: AbortSignal
): Promise<ServedRecord> {
  const now = replica.light.record(table, key)
  if (now !== undefined) return now
  await waitForBlock(replica, replica.height + 1n, NEXT_BLOCK_MS, signal)
  signal.throwIfAborted()
  const later = replica.light.record(table, key)
  if (later !== undefined) return later
  throw new HoldfastError('TIMEOUT', 'records are proven from the next block on: there is none', {
    retryable: true
  })
}

interface Way {
  start: Trusted
  /** What a file carries: with the block of the start, unless that is the genesis. */
  blocks: LightBlock[]
}

async function wayTo(
  replica: Replica,
  height: bigint,
  fromHeight: number | undefined,
  signal: AbortSignal
): Promise<Way> {
  if (fromHeight !== undefined) {
    return await wayFrom(replica, startAt(replica, BigInt(fromHeight)), height, signal)
  }
  try {
    return await wayFrom(replica, trustGenesis(replica.genesis), height, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (!HoldfastError.is(error)) throw error
    // the genesis is too long ago, or what is between is no longer known
    return await wayFrom(replica, startAt(replica, height), height, signal)
  }
}

function startAt(replica: Replica, height: bigint): Trusted {
  return trustedOf(replica.network, blockAt(replica, height))
}

async function wayFrom(
  replica: Replica,
  start: Trusted,
  height: bigint,
  signal: AbortSignal
): Promise<Way> {
  const client = createLightClient({ trusted: start, witnessesMin: 0 })
  const primary: LightSource = {
    id: 'replica',
    lightBlock: async wanted => blockAt(replica, wanted === 'newest' ? replica.height : wanted)
  }
  const nowMs = BigInt(systemClock.nowMs())
  const { path } = await client.update({ primary, witnesses: [], height, nowMs, signal })
  return { start, blocks: start.block === undefined ? path : [start.block, ...path] }
}

function blockAt(replica: Replica, height: bigint): LightBlock {
  const block = replica.light.block(height)
  if (block !== undefined) return block
  throw new HoldfastError('NOT_FOUND', `there is no light block of height ${height} here`)
}
