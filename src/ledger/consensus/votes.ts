/**
 * Votes as they come in: bounded, checked on arrival, one per (validator, kind, view) plus one accusation. Signatures
 * are checked at once and not only when a quorum is near: a bad one then always names the peer that brought it, and
 * an unchecked vote can never keep the place of a good one.
 */
import { equal } from '../../base/bytes.ts'
import { ZERO_HASH } from '../../base/hash.ts'
import { VOTE_KINDS } from '../types/block.ts'
import { blame, type HeightState, heardAt, isKept, ownAt, type Turn } from './state.ts'
import type { SignedVote } from './types.ts'

const { notarize, nullify, finalize } = VOTE_KINDS

/** Takes a vote from a peer. True when it is new and counts. */
export function admitVote(turn: Turn, vote: SignedVote): boolean {
  const { state } = turn
  const { height, validators, verifier } = state.init
  if (vote.height !== height) return false
  const problem = problemOf(vote, validators.length)
  if (problem !== undefined) {
    blame(turn, problem)
    return false
  }
  if (!isKept(state, vote.view) || isKnown(state, vote)) return false
  if (!verifier.vote(validators[vote.validator]!.publicKey, vote)) {
    blame(turn, 'a vote whose signature does not verify')
    return false
  }
  return keepVote(turn, vote)
}

/** Takes a vote whose signature holds. True when it is new and counts; a contradicting one is evidence instead. */
export function keepVote(turn: Turn, vote: SignedVote): boolean {
  const { state, effects } = turn
  adopt(state, vote)
  if (!isKept(state, vote.view)) return false
  const { votes, accused } = heardAt(state, vote.view)
  const { kind, validator } = vote
  const first = votes.get(keyOf(kind, validator))
  const accuse = (other: SignedVote): void => {
    if (accused.has(keyOf(kind, validator))) return
    accused.add(keyOf(kind, validator))
    effects.push({ type: 'evidence', evidence: { type: 'votes', first: other, second: vote } })
  }
  if (first !== undefined) {
    if (!equal(first.blockHash, vote.blockHash)) accuse(first)
    return false
  }
  votes.set(keyOf(kind, validator), vote)
  const excluded = exclusiveWith(kind)
  const other = excluded === undefined ? undefined : votes.get(keyOf(excluded, validator))
  if (other !== undefined) accuse(other)
  return true
}

/** Votes of one kind for one block in a view, in the order of the set. */
export function votesFor(
  state: HeightState,
  { kind, view, blockHash }: { kind: number; view: bigint; blockHash: Uint8Array }
): SignedVote[] {
  const votes = state.heard.get(view)?.votes
  if (votes === undefined) return []
  return state.init.validators.flatMap((_, validator) => {
    const vote = votes.get(keyOf(kind, validator))
    return vote !== undefined && equal(vote.blockHash, blockHash) ? [vote] : []
  })
}

export function weightOf({ init }: HeightState, votes: readonly SignedVote[]): bigint {
  return votes.reduce((sum, { validator }) => sum + init.validators[validator]!.power, 0n)
}

/** What is wrong with a vote whoever signed it. */
function problemOf(vote: SignedVote, validators: number): string | undefined {
  if (![notarize, nullify, finalize].some(kind => kind === vote.kind)) {
    return 'a vote of an unknown kind'
  }
  if (vote.view < 1n) return 'a vote for no view'
  if (vote.validator >= validators) return 'a vote of nobody in the set'
  if (equal(vote.blockHash, ZERO_HASH) !== (vote.kind === nullify)) {
    return 'a vote for the wrong block of its kind'
  }
  return undefined
}

/** Known, or one more of a validator that was accused of this. */
function isKnown(state: HeightState, { view, kind, validator, blockHash }: SignedVote): boolean {
  const heard = state.heard.get(view)
  const first = heard?.votes.get(keyOf(kind, validator))
  if (heard === undefined || first === undefined) return false
  return heard.accused.has(keyOf(kind, validator)) || equal(first.blockHash, blockHash)
}

/** Our own vote, brought by a peer: after a restart without our memory it binds us all the same. */
function adopt(state: HeightState, { validator, view, kind }: SignedVote): void {
  if (validator !== state.init.self) return
  const own = ownAt(state, view)
  if (kind === notarize) own.hasNotarized = true
  if (kind === nullify) own.hasNullified = true
  if (kind === finalize) own.hasFinalized = true
}

/** Nullify and finalize of one view contradict each other; notarize and nullify do not. */
function exclusiveWith(kind: number): number | undefined {
  if (kind === nullify) return finalize
  return kind === finalize ? nullify : undefined
}

function keyOf(kind: number, validator: number): string {
  return `${kind}/${validator}`
}
