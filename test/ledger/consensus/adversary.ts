/**
 * A Byzantine validator that hears every vote the moment it is signed, votes for everything, proposes whatever it likes
 * in the views that it leads, and makes certificates of honest votes and its own for whom it chooses.
 */
import { toHex } from '../../../src/base/bytes.ts'
import { totalPower } from '../../../src/ledger/certificate.ts'
import type { Message, SignedVote } from '../../../src/ledger/consensus/types.ts'
import type { Certificate } from '../../../src/ledger/types/block.ts'
import type { TestRandom } from '../../proofs/random.ts'
import type { Modules } from './mutants.ts'
import { type Actors, finalize, HEIGHT, network, notarize, nullify } from './support.ts'

const KINDS: readonly number[] = [notarize, nullify, finalize]

export class Adversary {
  /** Of every block that there is. */
  readonly names: Set<string> = new Set(['nowhere'])
  /** Every certificate that anybody holds. */
  readonly #certs: ReadonlyMap<string, Certificate>
  readonly #votes = new Map<string, SignedVote>()
  readonly #self: number
  readonly #actors: Actors
  readonly #modules: Modules
  readonly #random: TestRandom

  constructor(
    self: number,
    actors: Actors,
    modules: Modules,
    random: TestRandom,
    certs: ReadonlyMap<string, Certificate>
  ) {
    this.#certs = certs
    this.#self = self
    this.#actors = actors
    this.#modules = modules
    this.#random = random
  }

  hearVote(vote: SignedVote): void {
    const { kind, view, validator, blockHash } = vote
    this.#votes.set(`${kind}/${view}/${validator}/${toHex(blockHash)}`, vote)
  }

  /** Something for a member in this view, or one near. @param near 0 for a member that has not started */
  message(near: bigint): Message | undefined {
    const open = near > 0n ? near : 1n
    const view = this.#random.int(2) === 0 ? open : 1n + BigInt(this.#random.int(Number(open) + 1))
    const what = this.#random.int(12)
    if (what < 3) return { type: 'vote', vote: this.#anyVote(view) }
    if (what < 6) return this.#echo()
    if (what === 6) return { type: 'vote', vote: this.#strayVote() }
    if (what < 9) return this.#proposal(view)
    return this.#certificates()
  }

  #pick<T>(values: Iterable<T>): T | undefined {
    const all = [...values]
    return all.length === 0 ? undefined : all[this.#random.int(all.length)]
  }

  #anyVote(view: bigint): SignedVote {
    const kind = this.#pick(KINDS)!
    const name = kind === nullify ? undefined : this.#pick(this.names)
    const vote = this.#actors.vote(this.#self, kind, view, name)
    this.hearVote(vote)
    return vote
  }

  /** The same as somebody else said, or the finalize to a notarize. */
  #echo(): Message | undefined {
    const heard = this.#pick(this.#votes.values())
    if (heard === undefined) return undefined
    const isNotarize = heard.kind === notarize
    const kind = isNotarize && this.#random.int(2) === 0 ? finalize : heard.kind
    const vote = this.#actors.voteFor(this.#self, { ...heard, kind })
    this.hearVote(vote)
    return { type: 'vote', vote }
  }

  /** What anybody can replay: a vote of an honest validator at another height; or one of its own for a view far off. */
  #strayVote(): SignedVote {
    const kind = this.#pick(KINDS)!
    const name = kind === nullify ? undefined : this.#pick(this.names)
    if (this.#random.int(8) === 0) return this.#actors.vote(this.#self, kind, 1_000n, name)
    const validator = this.#random.int(this.#actors.validators.length)
    const view = 1n + BigInt(this.#random.int(2))
    return this.#actors.vote(validator, kind, view, name, HEIGHT + 1n)
  }

  /** Carried or fresh, justified as far as it goes or not at all, with its body or without. */
  #proposal(view: bigint): Message | undefined {
    if (this.#actors.leader(view) !== this.#self) return undefined
    const base = this.#random.int(3) === 0 ? BigInt(this.#random.int(Number(view))) : 0n
    const justify = [...this.#certs.values()].filter(
      cert => cert.view < view && cert.view >= base && cert.kind !== finalize
    )
    const isFresh = base === 0n && this.#random.int(4) > 0
    const name = isFresh ? `evil/${view}/${this.#random.int(3)}` : this.#pick(this.names)!
    this.names.add(name)
    const withoutBody = this.#random.int(4) === 0
    const proposal = this.#actors.proposal({ view, base, justify, name, withoutBody })
    return { type: 'proposal', proposal }
  }

  /** One certificate that honest votes and its own make possible; now and then a forged one, below the quorum. */
  #certificates(): Message | undefined {
    const { validators } = this.#actors
    const groups = Map.groupBy(
      this.#votes.values(),
      ({ kind, view, blockHash }) => `${kind}/${view}/${toHex(blockHash)}`
    )
    const isForged = this.#random.int(8) === 0
    const quorum = isForged ? 1n : this.#modules.quorumOf(totalPower(validators))
    const made = [...groups.values()].filter(votes => {
      return votes.reduce((sum, vote) => sum + validators[vote.validator]!.power, 0n) >= quorum
    })
    const votes = this.#pick(made)
    if (votes === undefined) return undefined
    const { kind, height, view, blockHash } = votes[0]!
    const by = votes.map(({ validator, signature }) => ({ index: validator, signature }))
    const statement = { ...network, kind, height, view, blockHash }
    const certs = [this.#modules.makeCertificate(statement, validators, by)]
    return {
      type: 'have',
      have: { height: HEIGHT, certs, votes: [], proposals: [], blocks: [] }
    }
  }
}
