/**
 * Sees everything and judges it by the invariants of ledger.md 6, independently of the code under test: from the votes
 * that were sent, from the blocks that replicas applied, and from the evidence that nodes gave.
 */
import { toHex } from '../../src/base/bytes.ts'
import type { BlockResult } from '../../src/ledger/block-result.ts'
import { quorumOf, totalPower } from '../../src/ledger/certificate.ts'
import type {
  Misbehaviour,
  SignedProposal,
  SignedVote,
  Verifier
} from '../../src/ledger/consensus/types.ts'
import { decodeMessage } from '../../src/ledger/consensus/wire.ts'
import { type Certificate, VOTE_KINDS } from '../../src/ledger/types/block.ts'
import type { Validator } from '../../src/ledger/types/records.ts'

interface Certified {
  kind: number
  view: bigint
  blockHash: string
}

export interface Verdict {
  forks: string[]
  doubleSigns: string[]
  accused: string[]
  /** Anything else that must not happen. */
  broken: string[]
}

const { notarize, nullify, finalize } = VOTE_KINDS

export class Checker {
  readonly verdict: Verdict = { forks: [], doubleSigns: [], accused: [], broken: [] }
  /** Indexes of Byzantine keys that evidence was given against. */
  readonly caught: Set<string> = new Set()
  readonly #verifier: Verifier
  readonly #isHonest: (publicKey: Uint8Array) => boolean
  readonly #seen = new Set<string>()
  /** `height/view/kind/hash` to the validators that said so. */
  readonly #said = new Map<string, Set<number>>()
  /** `height/view/validator/kind` to what an honest validator said. */
  readonly #statements = new Map<string, string>()
  readonly #certified = new Map<bigint, Certified[]>()
  readonly #blocks = new Map<bigint, { blockHash: string; appHash: string }>()
  readonly #sets = new Map<bigint, readonly Validator[]>()

  constructor(verifier: Verifier, isHonest: (publicKey: Uint8Array) => boolean) {
    this.#verifier = verifier
    this.#isHonest = isHonest
  }

  /** The set in force at a height, as soon as any honest replica has come there. */
  setAt(height: bigint, validators: readonly Validator[]): void {
    if (!this.#sets.has(height)) this.#sets.set(height, validators)
  }

  /** Different sets that have ruled. */
  get sets(): number {
    const seats = (set: readonly Validator[]): string =>
      set.map(({ publicKey, power }) => `${toHex(publicKey)}/${power}`).join()
    return new Set([...this.#sets.values()].map(seats)).size
  }

  /** Highest height that any honest replica applied. */
  get height(): bigint {
    let height = 0n
    for (const at of this.#blocks.keys()) if (at > height) height = at
    return height
  }

  applied(by: string, { height, blockHash, appHash }: BlockResult): void {
    const now = { blockHash: toHex(blockHash), appHash: toHex(appHash) }
    const known = this.#blocks.get(height)
    if (known === undefined) this.#blocks.set(height, now)
    else if (known.blockHash !== now.blockHash) {
      this.verdict.forks.push(`${by} has another block at height ${height}`)
    } else if (known.appHash !== now.appHash) {
      this.verdict.forks.push(`${by} has another state at height ${height}`)
    }
  }

  /** @param sender key of the validator that sent it */
  sent(sender: Uint8Array, bytes: Uint8Array): void {
    const id = Buffer.from(bytes.subarray(0, 200)).toString('latin1')
    if (bytes.length < 200 && this.#seen.has(id)) return
    if (bytes.length < 200) this.#seen.add(id)
    let message: ReturnType<typeof decodeMessage>
    try {
      message = decodeMessage(bytes)
    } catch {
      return // spam
    }
    if (message.type === 'vote') this.#vote(message.vote)
    if (message.type === 'proposal') {
      this.#proposal(sender, message.proposal)
      for (const cert of message.proposal.justify) this.#cert(cert)
    }
    if (message.type === 'have') {
      for (const vote of message.have.votes) this.#vote(vote)
      for (const cert of message.have.certs) this.#cert(cert)
    }
  }

  evidence(by: string, evidence: Misbehaviour): void {
    const validators = this.#sets.get(evidence.first.height) ?? []
    const accused =
      evidence.type === 'votes'
        ? validators[evidence.first.validator]
        : this.#leaderIn(evidence, validators)
    if (accused === undefined) {
      this.verdict.broken.push(`${by} gave evidence against nobody`)
    } else if (this.#isHonest(accused.publicKey)) {
      this.verdict.accused.push(
        `${by} accused an honest validator at ${evidence.first.height}/${evidence.first.view}`
      )
    } else {
      this.caught.add(toHex(accused.publicKey))
    }
  }

  #leaderIn(
    { first }: Extract<Misbehaviour, { type: 'proposals' }>,
    validators: readonly Validator[]
  ): Validator | undefined {
    return validators.find(({ publicKey }) => this.#verifier.proposal(publicKey, first))
  }

  #cert({ kind, height, view, blockHash, signers, signatures }: Certificate): void {
    const indexes = signers.getTrueBitIndexes()
    if (indexes.length !== signatures.length) return
    for (const [i, validator] of indexes.entries()) {
      this.#vote({ kind, height, view, blockHash, validator, signature: signatures[i]! })
    }
  }

  #vote(vote: SignedVote): void {
    const { kind, height, view, blockHash, validator } = vote
    const id = `${height}/${view}/${kind}/${toHex(blockHash)}`
    const said = this.#said.get(id) ?? new Set<number>()
    const set = this.#sets.get(height)
    const by = set?.[validator]
    if (set === undefined || by === undefined || said.has(validator)) return
    if (!this.#verifier.vote(by.publicKey, vote)) return
    said.add(validator)
    this.#said.set(id, said)
    if (this.#isHonest(by.publicKey)) this.#honestVote(vote)
    const power = totalPower(set.filter((_, index) => said.has(index)))
    if (power >= quorumOf(totalPower(set))) this.#certify(vote)
  }

  #honestVote({ kind, height, view, blockHash, validator }: SignedVote): void {
    const at = `${height}/${view}/${validator}`
    this.#honestStatement(`${at}/${kind}`, toHex(blockHash))
    const other = kind === nullify ? finalize : kind === finalize ? nullify : undefined
    if (other !== undefined && this.#statements.has(`${at}/${other}`)) {
      this.verdict.doubleSigns.push(`nullify and finalize at ${at}`)
    }
  }

  #proposal(sender: Uint8Array, proposal: SignedProposal): void {
    const { height, view, blockHash, base } = proposal
    if (!this.#isHonest(sender) || !this.#verifier.proposal(sender, proposal)) return
    this.#honestStatement(`${height}/${view}/${toHex(sender)}/p`, `${base}/${toHex(blockHash)}`)
  }

  #honestStatement(place: string, content: string): void {
    const known = this.#statements.get(place)
    this.#statements.set(place, content)
    if (known !== undefined && known !== content) {
      this.verdict.doubleSigns.push(`two statements at ${place}`)
    }
  }

  /** What is certified of one height, against what was certified of it before. */
  #certify({ kind, height, view, blockHash }: SignedVote): void {
    const made = { kind, view, blockHash: toHex(blockHash) }
    const known = this.#certified.get(height) ?? []
    for (const other of known) {
      const problem = conflictOf(made, other) ?? conflictOf(other, made)
      if (problem !== undefined) this.verdict.forks.push(`${problem} at ${height}/${view}`)
    }
    this.#certified.set(height, [...known, made])
  }
}

/** Simplex' two lemmas: a view has one notarized block, and after a finalized one no other is certified. */
function conflictOf(one: Certified, other: Certified): string | undefined {
  const isSameBlock = one.blockHash === other.blockHash
  if (one.kind === notarize && other.kind === notarize && one.view === other.view) {
    return isSameBlock ? undefined : 'two notarizations'
  }
  if (one.kind !== finalize || other.view < one.view) return undefined
  if (other.kind === nullify) return other.view === one.view ? 'finalized and nullified' : undefined
  return isSameBlock ? undefined : 'another block after a finalized one'
}
