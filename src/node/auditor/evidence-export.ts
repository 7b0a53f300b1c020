/**
 * Makes bundles of evidence: light blocks and proven records from the own replica, and for an object the slots of its
 * pieces, which the providers prove. The bundle is verified before it is handed out.
 */
import { compare, fromHex, toHex } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import {
  type BundleHolding,
  type EvidenceBundle,
  encodeBundle,
  verifyEvidence
} from '../../evidence/index.ts'
import type { ProofTrust } from '../../ledger/index.ts'
import { dealsOf } from '../../storage/index.ts'
import { waitForBlock } from '../chain/wait-for-block.ts'
import { parseDealId, parseMapCid } from '../control/arguments.ts'
import type { EvidenceExport, EvidenceSubject } from '../control/types.ts'
import type { AuditorContext } from './context.ts'
import { dealOnLedger } from './deal-on-ledger.ts'
import { type LedgerEvidence, ledgerEvidence } from './evidence-ledger.ts'
import { type FetchedMap, fetchMap } from './fetch-map.ts'
import { askForHoldings, type Holding } from './holding.ts'
import { runLimited } from './run-limited.ts'

/** Providers asked at once. */
const ASKING_MAX = 32
const NEXT_BLOCK_MS = 60_000
/** The ledger moves on while providers are asked. */
const ATTEMPTS_MAX = 3

/**
 * @throws HoldfastError NOT_FOUND (deal, map), TIMEOUT when there is no new block, INVALID_ARGUMENT when it is too much
 *   for one bundle; what a provider that cannot be reached does not show is left out
 */
export async function exportEvidence(
  context: AuditorContext,
  subject: EvidenceSubject
): Promise<EvidenceExport> {
  for (let attempt = 1; ; attempt++) {
    const made =
      'deal' in subject
        ? await collect(context, [fromHex(parseDealId(subject.deal))])
        : await collectObject(context, subject.repairMap)
    try {
      return checked(context, made)
    } catch (error) {
      context.signal.throwIfAborted()
      if (attempt >= ATTEMPTS_MAX) throw error
      context.logger.info('evidence.repeated', { reason: messageOf(error) })
    }
  }
}

interface Collected {
  bundle: EvidenceBundle
  ledger: LedgerEvidence
}

async function collectObject(context: AuditorContext, cid: string): Promise<Collected> {
  const fetched = await fetchMap(context, parseMapCid(cid), context.signal)
  const deals = dealsOf(fetched.map).filter(id => context.replica.deal(id) !== undefined)
  const holdings = await runLimited(deals, ASKING_MAX, deal => holdingsOf(context, fetched, deal))
  return await collect(context, deals, { map: fetched.bytes, holdings: holdings.flat() })
}

/** None when the provider does not show them all. */
async function holdingsOf(
  context: AuditorContext,
  { map }: FetchedMap,
  deal: Uint8Array
): Promise<Holding[]> {
  const entries = map.segments
    .flatMap(({ pieceBytes, pieces }) =>
      pieces.map(({ root, slot, deal: id }) => ({ root, slot, id, bytes: pieceBytes }))
    )
    .filter(({ id }) => compare(id, deal) === 0)
    .sort((a, b) => a.slot - b.slot)
  try {
    return await askForHoldings(context, deal, entries)
  } catch (error) {
    context.signal.throwIfAborted()
    context.logger.info('evidence.not-shown', { deal: toHex(deal), reason: messageOf(error) })
    return []
  }
}

async function collect(
  context: AuditorContext,
  deals: readonly Uint8Array[],
  object?: { map: Uint8Array; holdings: Holding[] }
): Promise<Collected> {
  for (const deal of deals) dealOnLedger(context, deal)
  const ledger = await ledgerOf(context, deals)
  const { records, path, revisions } = ledger
  const holdings = (object?.holdings ?? []).map(
    ({ deal, revision, pieces, proof, signed }): BundleHolding => {
      const isOnLedger = revision === revisions.get(toHex(deal))
      return { deal, pieces, proof, signed: isOnLedger ? undefined : signed }
    }
  )
  const { genesis, blocks } = path
  const bundle = { genesis, blocks, records, map: object?.map, holdings }
  return { bundle, ledger }
}

/** Right after its start a replica has no proof of its newest state: it waits for the next block. */
async function ledgerOf(
  { replica, signal }: AuditorContext,
  deals: readonly Uint8Array[]
): Promise<LedgerEvidence> {
  const found = ledgerEvidence(replica, deals)
  if (found !== undefined) return found
  await waitForBlock(replica, replica.height + 1n, NEXT_BLOCK_MS, signal)
  signal.throwIfAborted()
  const later = ledgerEvidence(replica, deals)
  if (later !== undefined) return later
  throw new HoldfastError('TIMEOUT', 'the ledger has no new block that shows these deals', {
    retryable: true
  })
}

/** @throws HoldfastError PROOF_INVALID when the ledger moved between its parts */
function checked(
  { network, clock }: AuditorContext,
  { bundle, ledger }: Collected
): EvidenceExport {
  const bytes = encodeBundle(bundle)
  const { checkpoint } = ledger.path
  const trust: ProofTrust =
    checkpoint === undefined ? { genesisHash: network.genesisHash } : { network, checkpoint }
  const report = verifyEvidence(bytes, { trust, nowMs: BigInt(clock.nowMs()) })
  return {
    bundle: Buffer.from(bytes).toString('base64'),
    bytes: bytes.length,
    height: report.height,
    genesisHash: report.genesisHash,
    ...(checkpoint && {
      checkpoint: { height: Number(checkpoint.height), blockHash: toHex(checkpoint.blockHash) }
    }),
    deals: report.deals.length
  }
}
