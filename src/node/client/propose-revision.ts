/**
 * One revision of one deal, from the client's side: plan it, sign it, have the provider countersign, sync both
 * signatures. When the provider turns out to be one revision ahead (we stopped between its answer and our sync), its
 * copy is fetched and checked: it carries our own signature, so it is the one we proposed.
 */
import { equal } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { SigningKey } from '../../base/keys.ts'
import type { Logger } from '../../base/ports.ts'
import {
  type NetworkId,
  type Replica,
  type Revision,
  revisionType,
  signRevision,
  verifyRevision
} from '../../ledger/index.ts'
import type { DealFile } from '../deals/deal-book.ts'
import type { PieceEntry, PlannedRevision } from '../deals/types.ts'
import { peerIdOf } from '../net/peer-id.ts'
import { DEAL_PROTOCOL } from '../net/protocols.ts'
import { request } from '../net/rpc.ts'
import type { Net } from '../net/types.ts'
import {
  DEAL_MESSAGE_BYTES_MAX,
  type DealRequest,
  signatureAnswer,
  stateAnswer
} from '../wire/deal-messages.ts'
import { parseMessage } from '../wire/schema.ts'

const REVISE_TIMEOUT_MS = 60_000
/** Revisions fetched from a provider that is ahead before giving up. */
const CATCH_UP_MAX = 16

export interface ReviseComponents {
  net: Net
  replica: Replica
  network: NetworkId
  wallet: SigningKey
  /** Sees to it that the ledger accepts the deal with so many bytes, as far as our replica knows. */
  coverBytes: (deal: Uint8Array, bytes: bigint) => Promise<void>
  /** Learns where a peer is now, before it is dialled. */
  locate: (peerId: string, signal: AbortSignal) => Promise<void>
  logger: Logger
}

export interface ProposedChange {
  adds: readonly PieceEntry[]
  /** Roots; those the deal does not hold are skipped. */
  removes: readonly Uint8Array[]
}

/** @throws HoldfastError REVISION_CONFLICT | TERMS_REFUSED | UNREACHABLE | PROTOCOL_VIOLATION | … */
export async function proposeRevision(
  components: ReviseComponents,
  file: DealFile,
  change: ProposedChange,
  signal: AbortSignal
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const slots = await slotsOf(file, change.removes)
    const adds = await missingPieces(file, change.adds)
    if (slots.length === 0 && adds.length === 0) return
    try {
      await propose(components, file, file.plan(adds, slots), signal)
      return
    } catch (error) {
      if (!HoldfastError.is(error, 'REVISION_CONFLICT') || attempt >= CATCH_UP_MAX) throw error
      components.logger.info('deal.catch-up', { revision: file.head.revision.toString() })
      await catchUp(components, file, signal)
    }
  }
}

async function propose(
  components: ReviseComponents,
  file: DealFile,
  planned: PlannedRevision,
  signal: AbortSignal
): Promise<void> {
  const { wallet, network, replica, coverBytes } = components
  await coverBytes(file.id, planned.bytes)
  const revision: Revision = {
    chainId: network.chainId,
    dealId: file.id,
    revision: planned.number,
    root: planned.root,
    leaves: planned.leaves,
    bytes: planned.bytes
  }
  const clientSignature = signRevision(wallet, revision)
  const answer = await ask(components, file, signal, {
    op: 'revise',
    revision: revisionType.serialize(revision),
    signature: clientSignature,
    height: Number(replica.head().height),
    changes: planned.changes.map(({ slot, after }) => ({ slot, ...(after && { after }) }))
  })
  const { signature } = parseMessage(signatureAnswer, answer)
  if (!verifyRevision(providerOf(components, file).account, revision, signature)) {
    throw new HoldfastError('PROTOCOL_VIOLATION', 'the provider signed another revision')
  }
  await file.commit(planned, {
    revision: revisionType.serialize(revision),
    clientSignature,
    providerSignature: signature
  })
}

/** Adopts the provider's next revision, if it is one that we signed. */
async function catchUp(
  components: ReviseComponents,
  file: DealFile,
  signal: AbortSignal
): Promise<void> {
  const wanted = file.head.revision + 1n
  const answer = await ask(components, file, signal, {
    op: 'state',
    deal: file.id,
    revision: Number(wanted)
  })
  const state = parseMessage(stateAnswer, answer)
  const planned = file.replan(state.changes)
  const revision = revisionType.deserialize(state.revision)
  const fits =
    equal(revision.dealId, file.id) &&
    revision.revision === wanted &&
    equal(revision.root, planned.root) &&
    verifyRevision(components.wallet.publicKey, revision, state.clientSignature) &&
    verifyRevision(providerOf(components, file).account, revision, state.providerSignature)
  if (!fits) {
    throw new HoldfastError(
      'PROTOCOL_VIOLATION',
      'the provider claims a revision that was never signed'
    )
  }
  const { clientSignature, providerSignature } = state
  await file.commit(planned, { revision: state.revision, clientSignature, providerSignature })
}

async function ask(
  components: ReviseComponents,
  file: DealFile,
  signal: AbortSignal,
  message: DealRequest
): Promise<unknown> {
  const peerId = peerIdOf(providerOf(components, file).peerKey)
  await components.locate(peerId, signal)
  return await request(components.net, peerId, DEAL_PROTOCOL, message, {
    responseBytesMax: DEAL_MESSAGE_BYTES_MAX,
    timeoutMs: REVISE_TIMEOUT_MS,
    signal
  })
}

function providerOf(
  { replica }: ReviseComponents,
  file: DealFile
): { account: Uint8Array; peerKey: Uint8Array } {
  const account = replica.deal(file.id)?.provider
  const record = account && replica.provider(account)
  if (record === undefined) throw new HoldfastError('NOT_FOUND', 'the deal is not on the ledger')
  return { account: account!, peerKey: record.peerKey }
}

async function slotsOf(file: DealFile, roots: readonly Uint8Array[]): Promise<number[]> {
  const slots = await Promise.all(roots.map(root => file.slotOf(root)))
  return slots.filter(slot => slot !== undefined)
}

async function missingPieces(file: DealFile, pieces: readonly PieceEntry[]): Promise<PieceEntry[]> {
  const slots = await Promise.all(pieces.map(({ root }) => file.slotOf(root)))
  return pieces.filter((_, i) => slots[i] === undefined)
}
