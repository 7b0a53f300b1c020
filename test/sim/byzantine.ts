/** What Byzantine nodes do besides running the honest code twice. */

import { utf8 } from '../../src/base/bytes.ts'
import { sha256, ZERO_HASH } from '../../src/base/hash.ts'
import { signVote } from '../../src/ledger/certificate.ts'
import type { Rules } from '../../src/ledger/consensus/height-run.ts'
import { certsAt, leaderAt } from '../../src/ledger/consensus/state.ts'
import type { Effect, SignedProposal, SignedVote } from '../../src/ledger/consensus/types.ts'
import { signProposal, voteOf } from '../../src/ledger/consensus/verifier.ts'
import { decodeMessage, encodeMessage } from '../../src/ledger/consensus/wire.ts'
import { type Certificate, VOTE_KINDS } from '../../src/ledger/types/block.ts'
import type { NetworkId } from '../../src/ledger/types/network.ts'
import { BitArray } from '../../src/ledger/types/ssz.ts'
import type { SimNode, Tamper } from './node.ts'
import type { Prng } from './prng.ts'
import type { ByzantineKind } from './scenario.ts'
import type { World } from './world.ts'

const SLOW_MS = 1_200
const SPAM_EVERY_MS = 60

export function tamperOf(
  kind: ByzantineKind,
  { random, isOver }: { random: Prng; isOver: () => boolean }
): Tamper | undefined {
  switch (kind) {
    case 'quitter':
      return bytes => (isOver() ? [] : [{ bytes, extraMs: 0 }])
    case 'silent':
      return () => []
    case 'slow':
      return bytes => [{ bytes, extraMs: random.below(SLOW_MS) }]
    case 'mutator':
      return bytes => [{ bytes: random.chance(0.4) ? mutated(bytes, random) : bytes, extraMs: 0 }]
    case 'twins':
    case 'spammer':
    case 'liar':
      return undefined
  }
}

function mutated(bytes: Uint8Array, random: Prng): Uint8Array {
  const out = Uint8Array.from(bytes)
  for (let flips = random.between(1, 4); flips > 0; flips--) {
    out[random.below(out.length)]! ^= 1 << random.below(8)
  }
  return out
}

/** Says everything that its key can sign, and votes of others a height too low, to everybody, all the time. */
export function beginSpam(
  node: SimNode,
  { world, random, network }: { world: World; random: Prng; network: NetworkId }
): void {
  const kinds = Object.values(VOTE_KINDS)
  const heard: SignedVote[] = []
  node.overhear = bytes => {
    if (!isVote(bytes)) return
    heard.push(...votesIn(bytes))
    heard.splice(0, heard.length - HEARD_VOTES_MAX)
  }
  const say = (): void => {
    const { replica, driver } = node
    if (replica !== undefined && driver !== undefined) {
      const height = replica.height + BigInt(random.below(3))
      const view = driver.position.view + BigInt(random.below(4))
      const kind = random.pick(kinds)
      const blockHash = kind === VOTE_KINDS.nullify ? ZERO_HASH : hashOf(random)
      const vote = { kind, height, view, blockHash }
      const signature = signVote(node.keys.vote, voteOf(network, vote))
      node.say(encodeMessage({ type: 'vote', vote: { ...vote, validator: node.index, signature } }))
      if (random.chance(0.2)) node.say(garbage(random))
      if (heard.length > 0 && random.chance(0.5)) {
        const vote = random.pick(heard)
        const below = vote.height > 0n ? vote.height - 1n : 0n
        const have = { height: below, certs: [], votes: [vote], proposals: [], blocks: [] }
        node.say(encodeMessage({ type: 'have', have }))
      }
      if (random.chance(0.3)) {
        const certs = [
          certificateOf(vote, node.index, { signature, validators: replica.validators().length })
        ]
        const have = { height, certs, votes: [], proposals: [], blocks: [] }
        node.say(encodeMessage({ type: 'have', have }))
      }
      if (random.chance(0.3))
        node.say(proposal(node, network, { height, view, blockHash: hashOf(random) }))
    }
    world.after(random.between(1, SPAM_EVERY_MS), say)
  }
  world.after(SPAM_EVERY_MS, say)
}

/** Enough to go back a few heights. */
const HEARD_VOTES_MAX = 40
const VOTE_MESSAGE = 2

function isVote(bytes: Uint8Array): boolean {
  return bytes[0] === VOTE_MESSAGE
}

function votesIn(bytes: Uint8Array): SignedVote[] {
  try {
    const message = decodeMessage(bytes)
    return message.type === 'vote' ? [message.vote] : []
  } catch {
    return [] // garbage of another Byzantine node
  }
}

/** One signature that passes itself off as a quorum. */
function certificateOf(
  vote: Pick<SignedVote, 'kind' | 'height' | 'view' | 'blockHash'>,
  index: number,
  { signature, validators }: { signature: Uint8Array; validators: number }
): Certificate {
  const bits = Array.from({ length: validators }, (_, i) => i === index)
  return { ...vote, signers: BitArray.fromBoolArray(bits), signatures: [signature] }
}

/**
 * In every view that it leads: a fresh block where one is notarized below, and what nobody has notarized where nothing
 * is.
 */
export function lyingRules(rules: Rules): Rules {
  return {
    ...rules,
    step: (state, input) => {
      const effects = rules.step(state, input)
      const { height } = state.init
      const isFirst = (view: bigint): boolean => leaderAt(state, view) === state.init.self
      const more: Effect[] = []
      for (const effect of effects) {
        const isEntry = effect.type === 'set-timer' && effect.timer === 'leader'
        if (isEntry && isFirst(effect.view)) more.push({ type: 'build', view: effect.view })
      }
      if (input.type === 'built') {
        const { view, blockHash, block } = input
        const isCertified = certsAt(state, view - 1n).notarization !== undefined
        const carried = { base: view - 1n, block: new Uint8Array(0) }
        const lie = isCertified || view === 1n ? { base: 0n, block } : carried
        const proposal = { height, view, blockHash, justify: [], ...lie }
        more.push({ type: 'sign-proposal', proposal })
      }
      const isProposal = (effect: Effect): boolean => effect.type === 'sign-proposal'
      return [...effects.filter(effect => !isProposal(effect)), ...more]
    }
  }
}

function proposal(
  node: SimNode,
  network: NetworkId,
  about: { height: bigint; view: bigint; blockHash: Uint8Array }
): Uint8Array {
  const unsigned = { ...about, base: 0n, justify: [], block: new Uint8Array(0) }
  const signature = signProposal(node.keys.vote, network, unsigned)
  const signed: SignedProposal = { ...unsigned, signature }
  return encodeMessage({ type: 'proposal', proposal: signed })
}

/** One of a few, so that it meets itself again. */
function hashOf(random: Prng): Uint8Array {
  return sha256(utf8(`nothing/${random.below(3)}`))
}

function garbage(random: Prng): Uint8Array {
  return Uint8Array.from({ length: random.between(0, 400) }, () => random.below(256))
}
