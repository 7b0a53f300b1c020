/** Proposals: making them (R1), taking them in, and voting for them (R2). */
import { equal, toHex } from '../../base/bytes.ts'
import type { Hash } from '../../base/hash.ts'
import { type Certificate, VOTE_KINDS } from '../types/block.ts'
import { receiveCertificate } from './certs.ts'
import { JUSTIFY_CERTS_MAX } from './limits.ts'
import {
  blame,
  blockOf,
  certsAt,
  type HeightState,
  type HeldProposal,
  heardAt,
  isKept,
  isOwnTurn,
  justificationOf,
  leaderAt,
  openView,
  ownAt,
  persistBlock,
  type Turn,
  takeBlock
} from './state.ts'
import type { SignedProposal } from './types.ts'

/** What the leader of the open view proposes; undefined while it lacks certificates or a body. */
type Basis = { base: bigint; blockHash: Hash; block: Uint8Array } | { base: 0n } | undefined

/**
 * R1: the highest notarization below the view whose body is here, with nullifications of every view above it; with none
 * and everything nullified a fresh block.
 */
function basisOf(state: HeightState): Basis {
  for (let at = state.view - 1n; at >= 1n; at--) {
    const { notarization, nullification } = certsAt(state, at)
    const block = notarization && blockOf(state, notarization.blockHash)
    if (notarization && block) return { base: at, blockHash: notarization.blockHash, block }
    if (nullification === undefined) return undefined
  }
  return { base: 0n }
}

/** R1 for the open view. True unless we lead it and lack what a proposal takes. */
export function propose(turn: Turn): boolean {
  const { state, effects } = turn
  const { view } = state
  const own = ownAt(state, view)
  if (!isOwnTurn(state) || own.hasProposed) return true
  const basis = basisOf(state)
  if (basis === undefined) return false
  if ('block' in basis) {
    signProposal(turn, basis)
  } else if (!state.hasAskedToBuild) {
    state.hasAskedToBuild = true
    effects.push({ type: 'build', view })
  }
  return true
}

/** Our own fresh block. Certificates that came in the meantime do not matter: everything below is nullified still. */
export function proposeBuilt(
  turn: Turn,
  built: { view: bigint; blockHash: Hash; block: Uint8Array }
): void {
  const { state } = turn
  const { view, blockHash, block } = built
  if (view !== state.view || !isOwnTurn(state) || ownAt(state, view).hasProposed) return
  state.blocks.set(toHex(blockHash), block)
  signProposal(turn, { base: 0n, blockHash, block })
}

function signProposal(
  turn: Turn,
  { base, blockHash, block }: { base: bigint; blockHash: Hash; block: Uint8Array }
): void {
  const { state, effects } = turn
  const { view } = state
  ownAt(state, view).hasProposed = true
  persistBlock(turn, blockHash)
  const proposal = {
    height: state.init.height,
    view,
    blockHash,
    base,
    justify: justifyOf(state, view, base),
    block: base === 0n ? block : new Uint8Array(0)
  }
  effects.push({ type: 'sign-proposal', proposal })
}

/** The notarization that is carried, then nullifications from the newest on. */
function justifyOf(state: HeightState, view: bigint, base: bigint): Certificate[] {
  const { notarization } = certsAt(state, base)
  const justify = notarization === undefined ? [] : [notarization]
  for (let at = view - 1n; at > base && justify.length < JUSTIFY_CERTS_MAX; at--) {
    justify.push(certsAt(state, at).nullification!)
  }
  return justify
}

/** Takes a proposal from a peer. Its certificates may open its view. */
export function receiveProposal(turn: Turn, proposal: SignedProposal): void {
  const { state } = turn
  if (proposal.height !== state.init.height || proposal.view < 1n) return
  const held = state.heard.get(proposal.view)?.proposal
  const isHeld = held !== undefined && isSame(held.signed, proposal)
  if (held?.isEquivocal === true && !isHeld) return
  if (!isHeld && !isByLeader(state, proposal)) {
    blame(turn, 'a proposal that the leader did not sign')
    return
  }
  for (const cert of proposal.justify) {
    if (!receiveCertificate(turn, cert)) return
  }
  if (proposal.view > openView(state) || !isKept(state, proposal.view)) return
  if (!isHeld) holdProposal(turn, proposal)
  if (proposal.block.length === 0 || proposal.base !== 0n) return
  if (!takeBlock(state, proposal.block, proposal.blockHash)) {
    blame(turn, 'a proposal with another block than it names')
  }
}

function isByLeader(state: HeightState, proposal: SignedProposal): boolean {
  const { validators, verifier } = state.init
  const { publicKey } = validators[leaderAt(state, proposal.view)]!
  return verifier.proposal(publicKey, proposal)
}

/** Keeps the first proposal of a view, without body and certificates; a second one is evidence. */
export function holdProposal({ state, effects }: Turn, proposal: SignedProposal): void {
  const heard = heardAt(state, proposal.view)
  const signed = { ...proposal, justify: [], block: new Uint8Array(0) }
  const { proposal: first } = heard
  if (first === undefined) {
    heard.proposal = { signed, validity: 'unknown', isEquivocal: false }
    if (leaderAt(state, proposal.view) === state.init.self) {
      ownAt(state, proposal.view).hasProposed = true
    }
    return
  }
  if (first.isEquivocal || isSame(first.signed, signed)) return
  first.isEquivocal = true
  const evidence = { type: 'proposals', first: first.signed, second: signed } as const
  effects.push({ type: 'evidence', evidence })
}

/** Takes our own proposal, signed: what we built needs no check. */
export function holdOwnProposal(turn: Turn, proposal: SignedProposal): void {
  holdProposal(turn, proposal)
  const held = heardAt(turn.state, proposal.view).proposal!
  if (held.validity === 'unknown' && isSame(held.signed, proposal)) held.validity = 'valid'
}

/** Our proposal of the open view as it goes out, with body and certificates. */
export function ownProposal(state: HeightState): SignedProposal | undefined {
  const held = state.heard.get(state.view)?.proposal
  if (held === undefined || !isOwnTurn(state)) return undefined
  const { signed } = held
  const block = signed.base === 0n ? blockOf(state, signed.blockHash) : undefined
  const justify = justifyOf(state, signed.view, signed.base)
  return { ...signed, justify, block: block ?? signed.block }
}

/** R2 for the open view: justified, its body here, and when fresh found valid; the body is durable before the vote. */
export function voteForProposal(turn: Turn): void {
  const { state, effects } = turn
  const { view, init } = state
  const held = state.heard.get(view)?.proposal
  if (held === undefined || init.self === undefined || ownAt(state, view).hasNotarized) return
  const { blockHash, base } = held.signed
  const block = blockOf(state, blockHash)
  if (block === undefined || justificationOf(state, held.signed) !== 'holds') return
  if (base === 0n && held.validity !== 'valid') {
    if (held.validity !== 'unknown') return
    held.validity = 'asked'
    effects.push({ type: 'check', view, blockHash, block })
    return
  }
  ownAt(state, view).hasNotarized = true
  persistBlock(turn, blockHash)
  const kind = VOTE_KINDS.notarize
  effects.push({ type: 'sign-vote', vote: { kind, height: init.height, view, blockHash } })
}

/** What the app says about a fresh block. */
export function proposalChecked(
  state: HeightState,
  { view, blockHash, valid }: { view: bigint; blockHash: Hash; valid: boolean }
): void {
  const held = state.heard.get(view)?.proposal
  if (held?.validity !== 'asked' || !equal(held.signed.blockHash, blockHash)) return
  held.validity = valid ? 'valid' : 'invalid'
}

/** R4: what makes a proposal a reason to give the view up at once. */
export function isHopeless(
  state: HeightState,
  { signed, validity, isEquivocal }: HeldProposal
): boolean {
  return isEquivocal || validity === 'invalid' || justificationOf(state, signed) === 'contradicted'
}

function isSame(a: SignedProposal, b: SignedProposal): boolean {
  return a.view === b.view && a.base === b.base && equal(a.blockHash, b.blockHash)
}
