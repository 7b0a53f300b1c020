/**
 * The consensus of one height as a pure synchronous reducer: no I/O, clock, randomness or promise. Simplex (Chan and
 * Pass, https://eprint.iacr.org/2023/463), in rules that the other files name by number:
 *
 * - R1 entering a view, its leader carries the highest notarized block, or builds when all views below are nullified
 * - R2 one Notarize per view, for a justified proposal whose body is durable
 * - R3 a notarization is answered by Finalize, unless the view was nullified
 * - R4 time, a hopeless proposal, or a third of the power against it: Nullify, unless the view was finalized
 * - R5 a nullification ends its view; R6 a finalization of any view decides; R7 certificates move on, never votes
 * - R8 a view that stands still asks, and tells its votes again
 *
 * An input changes what is known (votes.ts, certs.ts, proposals.ts), then the rules draw every conclusion (rules.ts).
 */
import { assert, unreachable } from '../../base/assert.ts'
import { toHex } from '../../base/bytes.ts'
import { holdCertificate, receiveCertificate, tally } from './certs.ts'
import {
  holdOwnProposal,
  ownProposal,
  proposalChecked,
  proposeBuilt,
  receiveProposal
} from './proposals.ts'
import { answer, ask } from './repeat.ts'
import { advance, sayNullify } from './rules.ts'
import { blame, emptyState, type HeightState, type Turn, takeBlock } from './state.ts'
import type {
  Effect,
  Have,
  HeightInit,
  Input,
  Message,
  SignedProposal,
  SignedVote,
  TimerKind
} from './types.ts'
import { admitVote, keepVote } from './votes.ts'

export type { HeightState } from './state.ts'

/** Nothing happens before the input `start`. What was restored binds from here on. */
export function createHeight(init: HeightInit): HeightState {
  const state = emptyState(init)
  const { certs = [], blocks = [], votes = [], proposals = [] } = init.restored ?? {}
  for (const cert of certs) holdCertificate(state, cert)
  for (const { blockHash, block } of blocks) {
    state.blocks.set(toHex(blockHash), block)
    state.durable.add(toHex(blockHash))
  }
  const turn: Turn = { state, effects: [], from: undefined, isBlamed: false }
  for (const vote of votes) keepVote(turn, vote)
  for (const proposal of proposals) holdOwnProposal(turn, proposal)
  return state
}

/** Takes one input, changes the state, and says what has to be done, in order. Never throws on what a peer sent. */
export function step(state: HeightState, input: Input): Effect[] {
  assert((input.type === 'start') !== state.isStarted, 'a height starts once, before all else')
  const from = input.type === 'message' ? input.from : undefined
  const turn: Turn = { state, effects: [], from, isBlamed: false }
  if (state.isDecided) takeLate(turn, input)
  else take(turn, input)
  return turn.effects
}

function take(turn: Turn, input: Input): void {
  const { state } = turn
  switch (input.type) {
    case 'start':
      start(turn)
      return
    case 'message':
      receive(turn, input.message)
      break
    case 'timeout':
      timeout(turn, input.timer, input.view)
      break
    case 'built':
      proposeBuilt(turn, input)
      break
    case 'checked':
      proposalChecked(state, input)
      break
    case 'proposal-signed':
      proposed(turn, input.proposal)
      break
    case 'vote-signed':
      if (tellVote(turn, input.vote)) tally(turn, input.vote)
      break
    default:
      unreachable(input)
  }
  advance(turn)
}

/** A decided height answers, tells what was signed in the meantime, and still collects evidence. */
function takeLate(turn: Turn, input: Input): void {
  if (input.type === 'vote-signed') tellVote(turn, input.vote)
  if (input.type !== 'message') return
  const { message } = input
  if (message.type === 'need') answer(turn, message.need)
  if (message.type === 'vote') admitVote(turn, message.vote)
  if (message.type === 'proposal') {
    receiveProposal(turn, { ...message.proposal, justify: [], block: new Uint8Array(0) })
  }
}

/** After a restart our votes count again, and what may never have left is told again. */
function start(turn: Turn): void {
  const { state, effects } = turn
  const votes = state.init.restored?.votes ?? []
  state.isStarted = true
  for (const vote of votes) tally(turn, vote)
  advance(turn)
  if (state.isDecided) return
  const proposal = ownProposal(state)
  if (proposal !== undefined) {
    effects.push({ type: 'send', to: 'validators', message: { type: 'proposal', proposal } })
  }
  if (votes.length > 0 || state.viewCertified > 0n) ask(turn)
}

function receive(turn: Turn, message: Message): void {
  switch (message.type) {
    case 'proposal':
      receiveProposal(turn, message.proposal)
      break
    case 'vote':
      if (admitVote(turn, message.vote)) tally(turn, message.vote)
      break
    case 'need':
      answer(turn, message.need)
      break
    case 'have':
      receiveHave(turn, message.have)
      break
    default:
      unreachable(message)
  }
}

/** In the order in which the parts make each other wanted; whatever follows a bad part is dropped unread. */
function receiveHave(turn: Turn, have: Have): void {
  const { state } = turn
  if (have.height !== state.init.height) return
  for (const cert of have.certs) {
    if (!receiveCertificate(turn, cert)) return
  }
  for (const proposal of have.proposals) {
    receiveProposal(turn, proposal)
    if (turn.isBlamed) return
  }
  for (const vote of have.votes) {
    if (admitVote(turn, vote)) tally(turn, vote)
    if (turn.isBlamed) return
  }
  for (const block of have.blocks) {
    if (!takeBlock(state, block)) blame(turn, 'bytes that are no block')
    if (turn.isBlamed) return
  }
}

function timeout(turn: Turn, timer: TimerKind, view: bigint): void {
  const { state, effects } = turn
  if (view !== state.view) return
  if (timer === 'leader') {
    if (state.heard.get(view)?.proposal === undefined) sayNullify(turn)
    return
  }
  if (timer === 'view') sayNullify(turn)
  else ask(turn)
  const afterMs = state.init.timeouts.repeatMs
  effects.push({ type: 'set-timer', timer: 'repeat', view, afterMs })
}

function proposed(turn: Turn, proposal: SignedProposal): void {
  const { state, effects } = turn
  holdOwnProposal(turn, proposal)
  if (proposal.view !== state.view) return
  effects.push({ type: 'send', to: 'validators', message: { type: 'proposal', proposal } })
}

/** True when the vote is new. It leaves in any case. */
function tellVote(turn: Turn, vote: SignedVote): boolean {
  turn.effects.push({ type: 'send', to: 'validators', message: { type: 'vote', vote } })
  return keepVote(turn, vote)
}
