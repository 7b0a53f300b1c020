/**
 * Certificates: made of votes, or brought by peers; stored once per (kind, view), durable before any rule uses them.
 */
import { equal } from '../../base/bytes.ts'
import { ZERO_HASH } from '../../base/hash.ts'
import { makeCertificate, quorumOf, totalPower } from '../certificate.ts'
import { type Certificate, VOTE_KINDS } from '../types/block.ts'
import type { Validator } from '../types/records.ts'
import { blame, certsAt, type HeightState, slotOf, type Turn } from './state.ts'
import type { SignedVote } from './types.ts'
import { keepVote, votesFor, weightOf } from './votes.ts'

/**
 * Whether kind, view, signers and weight are those of a certificate of this set: everything but the signatures. Signers
 * are bits, so nobody is counted twice.
 */
export function isShaped(cert: Certificate, validators: readonly Validator[]): boolean {
  const { kind, view, blockHash, signers, signatures } = cert
  if (!Object.values(VOTE_KINDS).some(known => known === kind) || view < 1n) return false
  if (equal(blockHash, ZERO_HASH) !== (kind === VOTE_KINDS.nullify)) return false
  if (signers.bitLen !== validators.length) return false
  const by = validators.filter((_, index) => signers.get(index))
  return by.length === signatures.length && totalPower(by) >= quorumOf(totalPower(validators))
}

/**
 * Takes a certificate from a peer. False when it is bad: then the peer is named and the rest of its message dropped.
 */
export function receiveCertificate(turn: Turn, cert: Certificate): boolean {
  const { state } = turn
  const { height, validators, verifier } = state.init
  const isBound = cert.height === height && isShaped(cert, validators)
  if (isBound && certsAt(state, cert.view)[slotOf(cert.kind)] !== undefined) return true
  if (!isBound || !verifier.certificate(cert, validators)) {
    blame(turn, 'a certificate that does not hold')
    return false
  }
  addCertificate(turn, cert)
  for (const vote of votesIn(cert)) keepVote(turn, vote)
  return true
}

/** After a new vote: makes the certificate that it completes. */
export function tally(turn: Turn, { kind, view, blockHash }: SignedVote): void {
  const { state } = turn
  if (certsAt(state, view)[slotOf(kind)] !== undefined) return
  const votes = votesFor(state, { kind, view, blockHash })
  if (weightOf(state, votes) < state.quorum) return
  const { network, height, validators } = state.init
  const by = votes.map(({ validator, signature }) => ({ index: validator, signature }))
  const vote = { ...network, kind, height, view, blockHash }
  addCertificate(turn, makeCertificate(vote, validators, by))
}

function addCertificate({ state, effects }: Turn, cert: Certificate): void {
  holdCertificate(state, cert)
  effects.push({ type: 'persist-cert', cert })
}

/** Stores a certificate that is durable or about to be. */
export function holdCertificate(state: HeightState, cert: Certificate): void {
  const { kind, view } = cert
  state.certs.set(view, { ...certsAt(state, view), [slotOf(kind)]: cert })
  if (view > state.viewCertified) state.viewCertified = view
  if (kind === VOTE_KINDS.finalize) state.finalization ??= cert
  state.fresh.push(cert)
}

/** The votes that a certificate consists of: two certificates that contradict each other name their signers. */
function votesIn({
  kind,
  height,
  view,
  blockHash,
  signers,
  signatures
}: Certificate): SignedVote[] {
  const indexes = signers.getTrueBitIndexes()
  return indexes.map((validator, i) => {
    return { kind, height, view, blockHash, validator, signature: signatures[i]! }
  })
}
