/** What follows from what is known: rules R3 to R7, and entering views. Runs after every input. */
import { toHex } from '../../base/bytes.ts'
import { ZERO_HASH } from '../../base/hash.ts'
import { type Certificate, VOTE_KINDS } from '../types/block.ts'
import { isHopeless, propose, voteForProposal } from './proposals.ts'
import { ask } from './repeat.ts'
import {
  blockOf,
  blocksWanted,
  type HeightState,
  heardAt,
  isKept,
  justificationOf,
  leaderAt,
  openView,
  ownAt,
  persistBlock,
  type Turn
} from './state.ts'
import { leaderTimeoutMs, viewTimeoutMs } from './timeouts.ts'
import { votesFor, weightOf } from './votes.ts'

const { notarize, nullify, finalize } = VOTE_KINDS

/** Draws every conclusion that the state allows. */
export function advance(turn: Turn): void {
  const { state } = turn
  for (const { notarization } of state.certs.values()) {
    if (notarization !== undefined) persistBlock(turn, notarization.blockHash)
  }
  for (const cert of state.fresh.splice(0)) certified(turn, cert)
  if (decide(turn)) return
  if (openView(state) > state.view) enter(turn, openView(state))
  if (isLost(state)) sayNullify(turn)
  const isReady = propose(turn)
  voteForProposal(turn)
  askForMissing(turn, isReady)
}

/** R3: a notarization is finalized, whatever its view, unless we nullified it. */
function certified({ state, effects }: Turn, { kind, view, blockHash }: Certificate): void {
  const { self, height } = state.init
  if (kind !== notarize || self === undefined) return
  const own = ownAt(state, view)
  if (own.hasNullified || own.hasFinalized) return
  own.hasFinalized = true
  effects.push({ type: 'sign-vote', vote: { kind: finalize, height, view, blockHash } })
}

/** R6: a finalization of any view decides, as soon as the body is here. */
function decide(turn: Turn): boolean {
  const { state, effects } = turn
  const { finalization: cert } = state
  const block = cert && blockOf(state, cert.blockHash)
  if (cert === undefined || block === undefined) return false
  state.isDecided = true
  persistBlock(turn, cert.blockHash)
  effects.push({ type: 'decide', blockHash: cert.blockHash, block, cert })
  return true
}

/** R1, R3, R5, R7: the view after a certified one begins, with timers of its own. */
function enter({ state, effects }: Turn, view: bigint): void {
  const { timeouts } = state.init
  state.view = view
  state.leader = leaderAt(state, view)
  state.hasAskedToBuild = false
  state.hasAskedForCerts = false
  forget(state)
  const leaderMs = leaderTimeoutMs(timeouts, view)
  const viewMs = viewTimeoutMs(timeouts, view)
  effects.push({ type: 'set-timer', timer: 'leader', view, afterMs: leaderMs })
  effects.push({ type: 'set-timer', timer: 'view', view, afterMs: viewMs })
}

/** Bounds what leaders and voters of many views can make us hold. */
function forget(state: HeightState): void {
  for (const view of state.heard.keys()) {
    if (!isKept(state, view)) state.heard.delete(view)
  }
  const proposed = state.heard.get(state.view)?.proposal?.signed.blockHash
  for (const id of state.blocks.keys()) {
    if (state.durable.has(id)) continue
    if (proposed === undefined || id !== toHex(proposed)) state.blocks.delete(id)
  }
}

/** R4 without its timers: the proposal is hopeless, or one honest validator at least has given up. */
function isLost(state: HeightState): boolean {
  const { proposal } = heardAt(state, state.view)
  if (proposal !== undefined && isHopeless(state, proposal)) return true
  const against = votesFor(state, { kind: nullify, view: state.view, blockHash: ZERO_HASH })
  return 3n * weightOf(state, against) > state.power
}

/** R4: gives the open view up, unless we finalized it. The right to notarize it stays. */
export function sayNullify({ state, effects }: Turn): void {
  const { view, init } = state
  const own = ownAt(state, view)
  if (init.self === undefined || own.hasNullified || own.hasFinalized) return
  own.hasNullified = true
  const { height } = init
  effects.push({ type: 'sign-vote', vote: { kind: nullify, height, view, blockHash: ZERO_HASH } })
}

/** Asks once, at once, for bodies and certificates that something waits for. */
function askForMissing(turn: Turn, isReady: boolean): void {
  const { state } = turn
  const wanted = blocksWanted(state).map(toHex)
  let isMissing = wanted.some(id => !state.asked.has(id))
  for (const id of wanted) state.asked.add(id)
  const signed = state.heard.get(state.view)?.proposal?.signed
  const isWaiting = signed !== undefined && justificationOf(state, signed) === 'lacking'
  if ((isWaiting || !isReady) && !state.hasAskedForCerts) {
    state.hasAskedForCerts = true
    isMissing = true
  }
  if (isMissing) ask(turn)
}
