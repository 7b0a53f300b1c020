/**
 * One audited provider: sends it questions of bounded size, one after the other, and checks every answer before the
 * next. The first answer that does not check ends it.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { equal } from '../../base/bytes.ts'
import { encodeDocument } from '../../base/codec.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import {
  type DealView,
  decodeStrict,
  type NetworkId,
  type Revision,
  revisionType,
  verifyRevision
} from '../../ledger/index.ts'
import { type AskedPiece, faultOfDealLeaves, faultOfSlots } from '../../proofs/index.ts'
import { AUDIT_PROTOCOL } from '../net/protocols.ts'
import { request } from '../net/rpc.ts'
import {
  AUDIT_ANSWER_BYTES_MAX,
  AUDIT_LEAVES_MAX,
  type AuditAnswer,
  type AuditRequest,
  auditAnswer
} from '../wire/audit-messages.ts'
import { parseMessage } from '../wire/schema.ts'
import type { AuditorContext } from './context.ts'
import { dealOnLedger } from './deal-on-ledger.ts'

const ANSWER_TIMEOUT_MS = 15_000
/** A provider that has too much to do is asked again. */
const REFUSALS_MAX = 5
const REFUSED_PAUSE_MS = 1_000

/** What an exchange with a provider came to. */
export interface AskTally {
  leaves: number
  transferredBytes: number
}

/**
 * Asks the provider of a deal for pieces by slot, against the newest revision that both sides signed, which is not
 * older than the one on the ledger.
 * @param asked ascending by slot
 * @throws HoldfastError PROOF_INVALID when an answer does not check; and whatever kept the provider from answering
 */
export async function askForSlots(
  context: AuditorContext,
  dealId: Uint8Array,
  asked: readonly AskedPiece[],
  tally: AskTally
): Promise<void> {
  for await (const _ of checkedAnswers(context, dealId, asked, tally));
}

export interface CheckedAnswer {
  batch: AskedPiece[]
  answer: AuditAnswer
  /** Of the tree that the pieces are in. */
  revision: bigint
}

/** As askForSlots, one answer after the other. */
export async function* checkedAnswers(
  context: AuditorContext,
  dealId: Uint8Array,
  asked: readonly AskedPiece[],
  tally: AskTally
): AsyncGenerator<CheckedAnswer> {
  const { deal } = dealOnLedger(context, dealId)
  if (deal.state === 'closed') throw new HoldfastError('NOT_FOUND', 'the deal is closed')
  for (const batch of batchesOf(asked)) {
    const picks = batch.map(({ slot, leaves }) => ({ slot, leaves: [...leaves] }))
    const answer = await ask(context, deal, { op: 'slots', deal: dealId, picks }, tally)
    const { revision, root, leaves } = checkSigned(context.network, deal, answer)
    assertSound(faultOfSlots({ dealRoot: root, dealLeaves: leaves }, batch, answer))
    tally.leaves += leavesIn(answer)
    yield { batch, answer, revision }
  }
}

/**
 * Asks the provider of a deal for leaves of it, against the contents on the ledger.
 * @param leaves ascending
 * @throws HoldfastError as askForSlots
 */
export async function askForLeaves(
  context: AuditorContext,
  deal: DealView,
  leaves: readonly number[],
  tally: AskTally
): Promise<void> {
  const tree = { dealRoot: deal.root, dealLeaves: deal.leaves }
  const revision = Number(deal.revision)
  for (let at = 0; at < leaves.length; at += AUDIT_LEAVES_MAX) {
    const wanted = leaves.slice(at, at + AUDIT_LEAVES_MAX)
    const question: AuditRequest = { op: 'leaves', deal: deal.id, revision, leaves: wanted }
    const answer = await ask(context, deal, question, tally)
    assertSound(faultOfDealLeaves(tree, wanted, answer))
    tally.leaves += leavesIn(answer)
  }
}

async function ask(
  context: AuditorContext,
  deal: DealView,
  question: AuditRequest,
  tally: AskTally
): Promise<AuditAnswer> {
  const { peerKey } = dealOnLedger(context, deal.id)
  const peerId = await context.locator.locate(peerKey)
  const body = await requestPatiently(context, peerId, question)
  tally.transferredBytes += encodeDocument(question).length + encodeDocument(body).length
  return parseMessage(auditAnswer, body)
}

async function requestPatiently(
  { net, signal }: AuditorContext,
  peerId: string,
  question: AuditRequest
): Promise<unknown> {
  const options = {
    responseBytesMax: AUDIT_ANSWER_BYTES_MAX,
    timeoutMs: ANSWER_TIMEOUT_MS,
    signal
  }
  for (let refusals = 0; ; refusals++) {
    try {
      return await request(net, peerId, AUDIT_PROTOCOL, question, options)
    } catch (error) {
      if (!HoldfastError.is(error, 'REMOTE_REFUSED') || refusals >= REFUSALS_MAX) throw error
      await pause(REFUSED_PAUSE_MS, undefined, { signal })
    }
  }
}

/** A revision that client and provider of the deal signed. @throws HoldfastError PROOF_INVALID */
export function checkSigned(
  network: NetworkId,
  deal: DealView,
  { signed }: Pick<AuditAnswer, 'signed'>
): Revision {
  if (signed === undefined) throw invalid('the answer does not say which revision it is of')
  let revision: Revision
  try {
    revision = decodeStrict(revisionType, signed.revision, 'the revision', 'PROOF_INVALID')
  } catch (error) {
    throw invalid(messageOf(error))
  }
  const isOurs = revision.chainId === network.chainId && equal(revision.dealId, deal.id)
  if (!isOurs) throw invalid('the revision is of another deal')
  const isSigned =
    verifyRevision(deal.client, revision, signed.clientSignature) &&
    verifyRevision(deal.provider, revision, signed.providerSignature)
  if (!isSigned) throw invalid('the revision is not signed by both sides')
  const isOnLedger = equal(revision.root, deal.root) && revision.leaves === deal.leaves
  if (revision.revision < deal.revision || (revision.revision === deal.revision && !isOnLedger)) {
    throw invalid('the ledger has a newer revision')
  }
  return revision
}

/** Questions of at most AUDIT_LEAVES_MAX leaves and slots; the leaves of one piece may be spread over several. */
function* batchesOf(asked: readonly AskedPiece[]): Generator<AskedPiece[]> {
  let batch: AskedPiece[] = []
  let cost = 0
  for (const piece of asked) {
    for (let at = 0; at === 0 || at < piece.leaves.length; ) {
      const leaves = piece.leaves.slice(at, at + AUDIT_LEAVES_MAX - cost)
      batch.push({ ...piece, leaves })
      cost += Math.max(1, leaves.length)
      at += Math.max(1, leaves.length)
      if (cost < AUDIT_LEAVES_MAX) continue
      yield batch
      batch = []
      cost = 0
    }
  }
  if (batch.length > 0) yield batch
}

function leavesIn({ pieces }: AuditAnswer): number {
  return pieces.reduce((sum, { indexes }) => sum + indexes.length, 0)
}

function assertSound(fault: string | undefined): void {
  if (fault !== undefined) throw invalid(fault)
}

function invalid(reason: string): HoldfastError {
  return new HoldfastError('PROOF_INVALID', reason)
}
