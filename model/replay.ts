/**
 * Replays a trace of simplex.qnt against the real core. A core gets what the node of the model got (a proposal with its
 * certificates, a certificate or its votes, a timer), encoded as on the wire, and must have said the same afterwards:
 * the same votes, the same proposals, the same view, the same decision. Traces are those of promptStep: no leader
 * waits.
 */
import { assert } from '../src/base/assert.ts'
import { u64be } from '../src/base/bytes.ts'
import { sha256, ZERO_HASH } from '../src/base/hash.ts'
import { makeCertificate, signVote } from '../src/ledger/certificate.ts'
import type { Have, SignedProposal } from '../src/ledger/consensus/types.ts'
import { signProposal, voteOf } from '../src/ledger/consensus/verifier.ts'
import { leaderOf } from '../src/ledger/leader.ts'
import { type Certificate, VOTE_KINDS } from '../src/ledger/types/block.ts'
import type { Ballot, ModelNode, ModelState, Move, Offer } from './itf.ts'
import {
  blockOf,
  type Committee,
  committeeOf,
  HEIGHT,
  NETWORK,
  nameOf,
  ReplayNode
} from './replay-node.ts'

const MIX_TRIES = 1_000_000

export interface ReplayOptions {
  /** Certificates arrive whole, or as their votes where votes alone do the same. @default 'certificates' */
  arrival?: 'certificates' | 'votes'
  /** Every core is stopped and restored from its journal and disk before each move. @default false */
  restarts?: boolean
}

/** The core did not do what the model says. */
export class Divergence extends Error {
  override name = 'Divergence'
}

/** Number of moves that were compared. @throws Divergence */
export function replayTrace(states: readonly ModelState[], options: ReplayOptions = {}): number {
  const replay = new Replay(states, options)
  for (let at = 0; at < states.length; at++) replay.play(at)
  return states.length
}

class Replay {
  readonly #states: readonly ModelState[]
  readonly #options: ReplayOptions
  readonly #leaders: ReadonlyMap<number, string>
  readonly #committee: Committee
  readonly #nodes: Map<string, ReplayNode>
  #at = 0

  constructor(states: readonly ModelState[], options: ReplayOptions) {
    const [first] = states
    assert(first !== undefined, 'a trace has states')
    this.#states = states
    this.#options = options
    this.#leaders = first.setup.leaders
    this.#committee = committeeOf(first.setup.powers)
    const mix = mixFor(this.#committee, this.#leaders)
    const nodeOf = (name: string): ReplayNode => {
      const chooses = (view: bigint): string => this.#freshValue(name, Number(view))
      return new ReplayNode({ name, committee: this.#committee, mix, chooses })
    }
    this.#nodes = new Map(Array.from(first.nodes.keys(), name => [name, nodeOf(name)]))
  }

  /** Makes the move that leads to a state, and compares unless its node is in the middle of its turn. */
  play(at: number): void {
    this.#at = at
    const { move, nodes } = this.#states[at]!
    if (move.act !== 'start' && !this.#isPrompt(move)) {
      const node = this.#nodes.get(move.node)!
      if (this.#options.restarts) node.restart()
      this.#deliver(node, move)
    }
    const next = this.#states[at + 1]
    if (next !== undefined && this.#isPrompt(next.move)) return
    for (const [name, expected] of nodes) {
      if (next !== undefined || !this.#isLeading(name, expected)) this.#compare(name, expected)
    }
  }

  /** A trace that was cut off may end in the middle of a leader's turn. */
  #isLeading(name: string, { view, decided }: ModelNode): boolean {
    return decided === '' && this.#leaders.get(view) === name
  }

  /** What the core does on its own as soon as it leads. */
  #isPrompt({ act, node, view }: Move): boolean {
    return act === 'propose' || (act === 'notarize' && this.#leaders.get(view) === node)
  }

  #deliver(node: ReplayNode, move: Move): void {
    const { act, kind, view, value } = move
    if (act === 'nullify') {
      node.feed({ type: 'timeout', timer: 'view', view: BigInt(view) })
    } else if (act === 'notarize') {
      const proposal = this.#proposal(move)
      node.receive(this.#leaders.get(view)!, { type: 'proposal', proposal })
      // Whoever gets a carried proposal and lacks the block is sent it on request.
      node.receive('peer', { type: 'have', have: have({ blocks: [blockOf(value).block] }) })
    } else {
      assert(act === 'learn' && kind !== '', 'restarts are the option of the replay')
      this.#deliverCertificate(node, { kind, view, value })
    }
  }

  #deliverCertificate(node: ReplayNode, ballot: Ballot): void {
    const blocks = ballot.kind === 'nullify' ? [] : [blockOf(ballot.value).block]
    const isNear = BigInt(ballot.view) <= node.view + 1n
    // Nullify votes make a node give up before they are a quorum: in the model that is another move.
    if (this.#options.arrival === 'votes' && ballot.kind !== 'nullify' && isNear) {
      for (const vote of this.#votes(ballot)) node.receive('peer', { type: 'vote', vote })
      node.receive('peer', { type: 'have', have: have({ blocks }) })
    } else {
      const certs = [this.#certificate(ballot)]
      node.receive('peer', { type: 'have', have: have({ certs, blocks }) })
    }
  }

  /** As its leader sent it. */
  #proposal({ view, base, value }: Move): SignedProposal {
    const leader = this.#leaders.get(view)!
    const { blockHash, block } = blockOf(value)
    const offer = { height: HEIGHT, view: BigInt(view), base: BigInt(base), blockHash }
    const honest = this.#nodes.get(leader)
    if (honest === undefined) {
      const signature = signProposal(this.#committee.keys.get(leader)!, NETWORK, offer)
      const justify = this.#justification({ view, base, value })
      return { ...offer, signature, justify, block: base === 0 ? block : new Uint8Array(0) }
    }
    const sent = honest.proposals.find(
      proposal => offerText(offerOf(proposal)) === offerText({ view, base, value })
    )
    if (sent === undefined) throw this.#divergence(`${leader} did not propose it`)
    return sent
  }

  /** Of what can be shown: a mutant asks for no more. */
  #justification({ view, base, value }: Offer): Certificate[] {
    const ballots: Ballot[] = base === 0 ? [] : [{ kind: 'notarize', view: base, value }]
    for (let at = base + 1; at < view; at++) ballots.push({ kind: 'nullify', view: at, value: '' })
    const shown = ballots.filter(ballot => this.#hasQuorum(ballot))
    return shown.map(ballot => this.#certificate(ballot))
  }

  #certificate(ballot: Ballot): Certificate {
    const [first] = this.#votes(ballot)
    const votes = this.#votes(ballot).map(({ validator, signature }) => ({
      index: validator,
      signature
    }))
    return makeCertificate(voteOf(NETWORK, first!), this.#committee.validators, votes)
  }

  /** Of everybody who had cast it before this move; Byzantine nodes cast everything. */
  #votes({ kind, view, value }: Ballot): Have['votes'] {
    const vote = {
      kind: VOTE_KINDS[kind],
      height: HEIGHT,
      view: BigInt(view),
      blockHash: kind === 'nullify' ? ZERO_HASH : blockOf(value).blockHash
    }
    return this.#signers({ kind, view, value }).map(name => {
      const signature = signVote(this.#committee.keys.get(name)!, voteOf(NETWORK, vote))
      return { ...vote, validator: this.#committee.names.indexOf(name), signature }
    })
  }

  #signers(ballot: Ballot): string[] {
    const { nodes } = this.#states[this.#at - 1]!
    return this.#committee.names.filter(name => {
      const node = nodes.get(name)
      return node === undefined || node.votes.some(cast => ballotText(cast) === ballotText(ballot))
    })
  }

  #hasQuorum(ballot: Ballot): boolean {
    const { powers } = this.#states[0]!.setup
    const sum = (names: Iterable<string>): number => {
      return Array.from(names, name => powers.get(name)!).reduce((a, b) => a + b, 0)
    }
    return 3 * sum(this.#signers(ballot)) > 2 * sum(powers.keys())
  }

  /** The fresh block that the node is going to propose in the trace. */
  #freshValue(name: string, view: number): string {
    const later = this.#states.slice(this.#at).map(({ move }) => move)
    const own = later.find(
      move => move.act === 'propose' && move.node === name && move.view === view
    )
    return own?.value ?? 'a'
  }

  #compare(name: string, expected: ModelNode): void {
    const node = this.#nodes.get(name)!
    // The model ends with its last view; the core goes on.
    const isPlayed = ({ view }: { view: bigint }): boolean => view <= BigInt(this.#leaders.size)
    const votes = node.votes.filter(isPlayed).map(vote => ballotText(ballotOf(vote)))
    const proposals = node.proposals.filter(isPlayed).map(proposal => offerText(offerOf(proposal)))
    this.#same(name, 'votes', votes, expected.votes.map(ballotText))
    this.#same(name, 'proposals', proposals, expected.proposals.map(offerText))
    this.#same(name, 'decision', [node.decided], [expected.decided])
    if (expected.decided === '') this.#same(name, 'view', [`${node.view}`], [`${expected.view}`])
    this.#same(name, 'complaints', node.complaints, [])
    const accused = node.evidence.map(({ type, first }) => {
      return this.#committee.names[type === 'votes' ? first.validator : -1] ?? 'a leader'
    })
    this.#same(
      name,
      'honest accused',
      accused.filter(other => this.#nodes.has(other)),
      []
    )
  }

  #same(name: string, what: string, actual: readonly string[], expected: readonly string[]): void {
    const [found, wanted] = [actual, expected].map(list => [...new Set(list)].sort().join(', '))
    if (found === wanted) return
    throw this.#divergence(`${what} of ${name}: the core has [${found}], the model [${wanted}]`)
  }

  #divergence(problem: string): Divergence {
    const { act, node, kind, view, base, value } = this.#states[this.#at]!.move
    const move = `${node} ${act} ${kind} view ${view} base ${base} ${value}`
    return new Divergence(`move ${this.#at} (${move}): ${problem}`)
  }
}

/** A beacon mix that gives the leaders of the trace. */
function mixFor(
  { validators, names }: Committee,
  leaders: ReadonlyMap<number, string>
): Uint8Array {
  for (let i = 0; i < MIX_TRIES; i++) {
    const mix = sha256(u64be(i))
    const fits = Array.from(leaders).every(([view, name]) => {
      return names[leaderOf(validators, { mix, height: HEIGHT, view: BigInt(view) })] === name
    })
    if (fits) return mix
  }
  throw new Error('no mix gives the leaders of the trace')
}

function have(parts: Partial<Have>): Have {
  return { height: HEIGHT, certs: [], votes: [], proposals: [], blocks: [], ...parts }
}

function ballotOf({ kind, view, blockHash }: Have['votes'][number]): Ballot {
  const [name] = Object.entries(VOTE_KINDS).find(([, known]) => known === kind)!
  return { kind: name as Ballot['kind'], view: Number(view), value: nameOf(blockHash) }
}

function offerOf({ view, base, blockHash }: SignedProposal): Offer {
  return { view: Number(view), base: Number(base), value: nameOf(blockHash) }
}

function ballotText({ kind, view, value }: Ballot): string {
  return `${kind} ${view} ${value}`
}

function offerText({ view, base, value }: Offer): string {
  return `${view} on ${base} ${value}`
}
