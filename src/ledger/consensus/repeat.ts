/** R8: asking and telling when a view stands still, and answering those who ask. Everything bounded. */
import { BLOCK_BYTES_MAX } from '../../base/limits.ts'
import { type Certificate, certificateType } from '../types/block.ts'
import { BitArray } from '../types/ssz.ts'
import {
  HAVE_BLOCKS_MAX,
  HAVE_BYTES_MAX,
  HAVE_CERTS_MAX,
  HAVE_VOTES_MAX,
  NEED_BLOCKS_MAX,
  NEED_VIEWS_MAX
} from './limits.ts'
import { blockOf, blocksWanted, certsAt, type HeightState, type Turn } from './state.ts'
import type { Have, Need, SignedProposal, SignedVote } from './types.ts'

/** Asks whoever sent the input, and a few others. */
export function ask({ state, effects, from }: Turn): void {
  const need = needOf(state)
  if (from !== undefined) effects.push({ type: 'send', to: from, message: { type: 'need', need } })
  effects.push({ type: 'ask', need, have: haveOf(state) })
}

function needOf(state: HeightState): Need {
  const { view, init } = state
  const blocks = blocksWanted(state).slice(-NEED_BLOCKS_MAX)
  const lacking = BitArray.fromBoolArray(lackingOf(state))
  return { height: init.height, view, lacking, blocks }
}

/**
 * Bit i: view `open - 1 - i` is part of a justification and its certificate is not here. What the open view's proposal
 * builds on, or what a proposal of ours would.
 */
function lackingOf(state: HeightState): boolean[] {
  const signed = state.heard.get(state.view)?.proposal?.signed
  const lacking: boolean[] = []
  for (let at = state.view - 1n; at >= 1n && lacking.length < NEED_VIEWS_MAX; at--) {
    const { notarization, nullification } = certsAt(state, at)
    const isBase = signed === undefined ? notarization !== undefined : at === signed.base
    lacking.push(isBase ? notarization === undefined : nullification === undefined)
    if (isBase) break
  }
  return lacking
}

/** What we tell on our own: our votes from the newest on, what admitted the open view, and its proposal. */
function haveOf(state: HeightState): Have {
  const { init, view, finalization } = state
  const { notarization, nullification } = certsAt(state, view - 1n)
  const certs = [finalization, notarization, nullification].filter(cert => cert !== undefined)
  return {
    height: init.height,
    certs,
    votes: votesFrom(state, 0n, vote => vote.validator === init.self),
    proposals: proposalsAt(state, view),
    blocks: []
  }
}

/** Votes of a view and later ones, newest view first. */
function votesFrom(
  { heard }: HeightState,
  from: bigint,
  isMeant: (vote: SignedVote) => boolean
): SignedVote[] {
  const views = [...heard.keys()].filter(view => view >= from)
  views.sort((a, b) => (a < b ? 1 : -1))
  const votes = views.flatMap(view => [...heard.get(view)!.votes.values()].filter(isMeant))
  return votes.slice(0, HAVE_VOTES_MAX)
}

function proposalsAt({ heard }: HeightState, view: bigint): SignedProposal[] {
  const signed = heard.get(view)?.proposal?.signed
  return signed === undefined ? [] : [signed]
}

/** Answers a peer that stands still: the certificate that moves it on, what it lacks, bodies, and votes of its view. */
export function answer({ state, effects, from }: Turn, need: Need): void {
  const { height } = state.init
  if (from === undefined || need.height !== height) return
  const blocks = need.blocks.flatMap(hash => blockOf(state, hash) ?? []).slice(0, HAVE_BLOCKS_MAX)
  const have: Have = {
    height,
    certs: certsFor(state, need, HAVE_BYTES_MAX - HAVE_BLOCKS_MAX * BLOCK_BYTES_MAX),
    votes: votesFrom(state, need.view > 1n ? need.view - 1n : 1n, () => true),
    proposals: proposalsAt(state, need.view),
    blocks
  }
  if (have.certs.length + have.votes.length + have.proposals.length + blocks.length === 0) return
  effects.push({ type: 'send', to: from, message: { type: 'have', have } })
}

function certsFor(state: HeightState, need: Need, bytesMax: number): Certificate[] {
  const certs: Certificate[] = []
  let bytesLeft = bytesMax
  const add = (cert: Certificate | undefined): void => {
    if (cert === undefined || certs.length === HAVE_CERTS_MAX) return
    bytesLeft -= certificateType.value_serializedSize(cert)
    if (bytesLeft >= 0) certs.push(cert)
  }
  const { finalization, viewCertified } = state
  add(finalization)
  if (viewCertified >= need.view) {
    add(certsAt(state, viewCertified).notarization)
    add(certsAt(state, viewCertified).nullification)
  }
  for (const i of need.lacking.getTrueBitIndexes()) {
    const { notarization, nullification } = certsAt(state, need.view - 1n - BigInt(i))
    add(notarization)
    add(nullification)
  }
  return certs
}
