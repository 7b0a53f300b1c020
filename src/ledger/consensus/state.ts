/** What the core knows of one height, and the questions that its rules ask of it. */
import { assert } from '../../base/assert.ts'
import { equal, toHex } from '../../base/bytes.ts'
import type { Hash } from '../../base/hash.ts'
import { quorumOf, totalPower } from '../certificate.ts'
import { leaderOf } from '../leader.ts'
import { type Certificate, VOTE_KINDS } from '../types/block.ts'
import { VOTE_VIEWS_KEPT } from './limits.ts'
import type { Effect, HeightInit, Sender, SignedProposal, SignedVote } from './types.ts'

/** Certificates of one view. A view can have both a notarization and a nullification. */
export interface ViewCerts {
  notarization?: Certificate
  nullification?: Certificate
  finalization?: Certificate
}

/** What we have said in one view, or asked the signer to say. */
export interface OwnView {
  hasProposed: boolean
  hasNotarized: boolean
  hasNullified: boolean
  hasFinalized: boolean
}

/** The first proposal of a view. Its body is among the blocks; its certificates are among the certificates. */
export interface HeldProposal {
  signed: SignedProposal
  /** Of a fresh block; whoever carries one votes for what a quorum has checked. */
  validity: 'unknown' | 'asked' | 'valid' | 'invalid'
  isEquivocal: boolean
}

/** What others said in one view. */
export interface HeardView {
  proposal?: HeldProposal
  /** By `kind/validator`. */
  votes: Map<string, SignedVote>
  /** Validators by `kind/validator` of which evidence was given already. */
  accused: Set<string>
}

export interface HeightState {
  readonly init: HeightInit
  readonly power: bigint
  readonly quorum: bigint
  /** The view that was entered last: the open one; 0 before `start`. */
  view: bigint
  /** Who leads the open view: a position in the set. */
  leader: number
  isStarted: boolean
  isDecided: boolean
  /** Highest view that has a certificate; 0 for none. */
  viewCertified: bigint
  finalization: Certificate | undefined
  /** Whether the open view asked for a block, or for certificates, already. */
  hasAskedToBuild: boolean
  hasAskedForCerts: boolean
  readonly certs: Map<bigint, ViewCerts>
  readonly own: Map<bigint, OwnView>
  /** Of the open view, the next one and VOTE_VIEWS_KEPT below. */
  readonly heard: Map<bigint, HeardView>
  /** Bodies by hex hash: of held proposals and of certified blocks only. */
  readonly blocks: Map<string, Uint8Array>
  /** Hex hashes of the bodies that are durable. */
  readonly durable: Set<string>
  /** Hex hashes of bodies that were asked for at once; later they are asked for with every repeat. */
  readonly asked: Set<string>
  /** Certificates whose rules have not run yet. */
  fresh: Certificate[]
}

/** One step: the state, what it has caused so far, and who sent the input. */
export interface Turn {
  readonly state: HeightState
  readonly effects: Effect[]
  readonly from: Sender | undefined
  /** The sender broke the protocol: the rest of its message is not worth reading. */
  isBlamed: boolean
}

/** Names the peer that sent the input; nobody when it is our own. */
export function blame(turn: Turn, reason: string): void {
  const { effects, from } = turn
  turn.isBlamed = true
  if (from !== undefined) effects.push({ type: 'misbehaved', from, reason })
}

export function emptyState(init: HeightInit): HeightState {
  const { self, validators } = init
  assert(self === undefined || self < validators.length, 'self is in the set')
  const power = totalPower(validators)
  return {
    init,
    power,
    quorum: quorumOf(power),
    view: 0n,
    leader: 0,
    isStarted: false,
    isDecided: false,
    viewCertified: 0n,
    finalization: undefined,
    hasAskedToBuild: false,
    hasAskedForCerts: false,
    certs: new Map(),
    own: new Map(),
    heard: new Map(),
    blocks: new Map(),
    durable: new Set(),
    asked: new Set(),
    fresh: []
  }
}

export function leaderAt({ init }: HeightState, view: bigint): number {
  return leaderOf(init.validators, { mix: init.mix, height: init.height, view })
}

export function isOwnTurn({ init, leader }: HeightState): boolean {
  return init.self === leader
}

export function certsAt(state: HeightState, view: bigint): ViewCerts {
  return state.certs.get(view) ?? {}
}

export function ownAt(state: HeightState, view: bigint): OwnView {
  let own = state.own.get(view)
  if (own === undefined) {
    own = { hasProposed: false, hasNotarized: false, hasNullified: false, hasFinalized: false }
    state.own.set(view, own)
  }
  return own
}

/** The caller has checked that the view is kept. */
export function heardAt(state: HeightState, view: bigint): HeardView {
  let heard = state.heard.get(view)
  if (heard === undefined) {
    heard = { votes: new Map(), accused: new Set() }
    state.heard.set(view, heard)
  }
  return heard
}

/** R7: the view after the highest certified one is open, from the moment the certificate is here. */
export function openView({ viewCertified }: HeightState): bigint {
  return viewCertified + 1n
}

/** Views of which single votes are kept: bounded, whatever peers send. */
export function isKept(state: HeightState, view: bigint): boolean {
  const open = openView(state)
  return view >= 1n && view <= open + 1n && view + VOTE_VIEWS_KEPT >= open
}

export function blockOf(state: HeightState, blockHash: Hash): Uint8Array | undefined {
  return state.blocks.get(toHex(blockHash))
}

/** Whether a proposal may follow from what is certified below its view. */
export type Justification = 'holds' | 'lacking' | 'contradicted'

/**
 * R2: the notarization of `base` for the same block, and nullifications of every view between; with base 0 of every
 * view below.
 */
export function justificationOf(
  state: HeightState,
  { view, base, blockHash }: { view: bigint; base: bigint; blockHash: Hash }
): Justification {
  if (base >= view) return 'contradicted'
  if (base > 0n) {
    const { notarization } = certsAt(state, base)
    if (notarization === undefined) return 'lacking'
    if (!equal(notarization.blockHash, blockHash)) return 'contradicted'
  }
  for (let at = view - 1n; at > base; at--) {
    if (certsAt(state, at).nullification === undefined) return 'lacking'
  }
  return 'holds'
}

/** Bodies that the height cannot do without: of certified blocks and of the open view's proposal. */
export function blocksWanted(state: HeightState): Hash[] {
  const wanted = new Map<string, Hash>()
  const want = (blockHash: Hash | undefined): void => {
    if (blockHash === undefined || blockOf(state, blockHash) !== undefined) return
    wanted.set(toHex(blockHash), blockHash)
  }
  want(state.finalization?.blockHash)
  want(state.heard.get(openView(state))?.proposal?.signed.blockHash)
  for (const { notarization } of state.certs.values()) want(notarization?.blockHash)
  return [...wanted.values()]
}

/** Takes a body if the height cannot do without it. False when it is no block, or not the one that it has to be. */
export function takeBlock(state: HeightState, block: Uint8Array, expected?: Hash): boolean {
  const wanted = blocksWanted(state)
  if (expected !== undefined && !wanted.some(hash => equal(hash, expected))) return true
  if (wanted.length === 0) return true
  const blockHash = state.init.verifier.block(block)
  if (blockHash === undefined) return false
  if (expected !== undefined && !equal(blockHash, expected)) return false
  if (wanted.some(hash => equal(hash, blockHash))) state.blocks.set(toHex(blockHash), block)
  return true
}

/** Emits `persist-block` once per body that is at hand. */
export function persistBlock({ state, effects }: Turn, blockHash: Hash): void {
  const id = toHex(blockHash)
  const block = state.blocks.get(id)
  if (block === undefined || state.durable.has(id)) return
  state.durable.add(id)
  effects.push({ type: 'persist-block', blockHash, block })
}

/** The name that a kind of certificate has in ViewCerts. */
export function slotOf(kind: number): keyof ViewCerts {
  if (kind === VOTE_KINDS.notarize) return 'notarization'
  if (kind === VOTE_KINDS.nullify) return 'nullification'
  assert(kind === VOTE_KINDS.finalize, 'kinds of certificates are checked before')
  return 'finalization'
}
