/** Cores of one height with cheap keys: signatures are hashes that bind key and statement. */
import { equal, fromUtf8, toHex, utf8 } from '../../../src/base/bytes.ts'
import { sha256, ZERO_HASH } from '../../../src/base/hash.ts'
import { makeCertificate } from '../../../src/ledger/certificate.ts'
import { isShaped } from '../../../src/ledger/consensus/certs.ts'
import { createHeight, type HeightState, step } from '../../../src/ledger/consensus/core.ts'
import { TIMEOUTS_DEFAULT } from '../../../src/ledger/consensus/timeouts.ts'
import type {
  Effect,
  HeightInit,
  Input,
  Message,
  SignedProposal,
  SignedVote,
  Verifier
} from '../../../src/ledger/consensus/types.ts'
import { leaderOf } from '../../../src/ledger/leader.ts'
import { type Certificate, VOTE_KINDS, type VoteKind } from '../../../src/ledger/types/block.ts'
import type { NetworkId } from '../../../src/ledger/types/network.ts'
import type { Validator } from '../../../src/ledger/types/records.ts'

export const notarize: VoteKind = VOTE_KINDS.notarize
export const nullify: VoteKind = VOTE_KINDS.nullify
export const finalize: VoteKind = VOTE_KINDS.finalize
export const network: NetworkId = { chainId: 'test-1', genesisHash: new Uint8Array(32).fill(1) }
export const HEIGHT = 7n
export const MIX: Uint8Array = new Uint8Array(32).fill(9)

/** Names a validator by its position. */
export function publicKeyOf(index: number): Uint8Array {
  return sha256(utf8(`validator/${index}`))
}

export function setOf(powers: readonly bigint[]): Validator[] {
  return powers.map((power, index) => ({
    publicKey: publicKeyOf(index),
    power,
    account: publicKeyOf(index),
    beaconKey: new Uint8Array(48)
  }))
}

export function blockNamed(name: string): { block: Uint8Array; blockHash: Uint8Array } {
  const block = utf8(`block ${name}`)
  return { block, blockHash: new Uint8Array(sha256(block)) }
}

function cheapSignature(publicKey: Uint8Array, statement: string): Uint8Array {
  const half = sha256(publicKey, utf8(statement))
  return new Uint8Array(Buffer.concat([half, half]))
}

function statementOf(vote: Omit<SignedVote, 'validator' | 'signature'>): string {
  return `vote/${vote.kind}/${vote.height}/${vote.view}/${toHex(vote.blockHash)}`
}

/** Cheap signatures; hashes of bodies that begin with "block ". */
export function cheapVerifier(isCert: typeof isShaped): Verifier {
  return {
    vote: (publicKey, vote) => equal(cheapSignature(publicKey, statementOf(vote)), vote.signature),
    proposal: (publicKey, { height, view, blockHash, base, signature }) => {
      const statement = `proposal/${height}/${view}/${toHex(blockHash)}/${base}`
      return equal(cheapSignature(publicKey, statement), signature)
    },
    certificate: (cert, validators) => {
      if (!isCert(cert, validators)) return false
      return cert.signers.getTrueBitIndexes().every((index, i) => {
        const expected = cheapSignature(validators[index]!.publicKey, statementOf(cert))
        return equal(expected, cert.signatures[i]!)
      })
    },
    block: block => (fromUtf8(block).startsWith('block ') ? sha256(block) : undefined)
  }
}

export interface Proposing {
  view: bigint
  base?: bigint
  justify?: Certificate[]
  /** Whose block; or a hash and body as they are. */
  name: string
  withoutBody?: boolean
}

/** Statements of the validators of one set. */
export class Actors {
  readonly validators: Validator[]

  constructor(powers: readonly bigint[]) {
    this.validators = setOf(powers)
  }

  vote(
    validator: number,
    kind: number,
    view: bigint,
    name?: string,
    height: bigint = HEIGHT
  ): SignedVote {
    const blockHash = name === undefined ? ZERO_HASH : blockNamed(name).blockHash
    return this.voteFor(validator, { kind, height, view, blockHash })
  }

  voteFor(validator: number, statement: Omit<SignedVote, 'validator' | 'signature'>): SignedVote {
    const { kind, height, view, blockHash } = statement
    const unsigned = { kind, height, view, blockHash }
    const signature = cheapSignature(publicKeyOf(validator), statementOf(unsigned))
    return { ...unsigned, validator, signature }
  }

  cert(kind: number, view: bigint, by: readonly number[], name?: string): Certificate {
    const votes = by.map(index => this.vote(index, kind, view, name))
    const { blockHash } = votes[0]!
    return makeCertificate(
      { ...network, kind, height: HEIGHT, view, blockHash },
      this.validators,
      votes.map(({ validator, signature }) => ({ index: validator, signature }))
    )
  }

  leader(view: bigint): number {
    return leaderOf(this.validators, { mix: MIX, height: HEIGHT, view })
  }

  /** By the leader of its view. */
  proposal(proposing: Proposing): SignedProposal {
    const { view, base = 0n, justify = [], name, withoutBody = base > 0n } = proposing
    const { block, blockHash } = blockNamed(name)
    const statement = `proposal/${HEIGHT}/${view}/${toHex(blockHash)}/${base}`
    const signature = cheapSignature(publicKeyOf(this.leader(view)), statement)
    const body = withoutBody ? new Uint8Array(0) : block
    return { height: HEIGHT, view, blockHash, base, signature, justify, block: body }
  }

  sign(self: number, effect: Effect): Input | undefined {
    const publicKey = publicKeyOf(self)
    if (effect.type === 'sign-vote') {
      const signature = cheapSignature(publicKey, statementOf(effect.vote))
      return { type: 'vote-signed', vote: { ...effect.vote, validator: self, signature } }
    }
    if (effect.type !== 'sign-proposal') return undefined
    const { height, view, blockHash, base } = effect.proposal
    const statement = `proposal/${height}/${view}/${toHex(blockHash)}/${base}`
    const signature = cheapSignature(publicKey, statement)
    return { type: 'proposal-signed', proposal: { ...effect.proposal, signature } }
  }
}

export interface NodeInit {
  powers?: readonly bigint[]
  self?: number | undefined
  restored?: HeightInit['restored']
  /** What the app says about fresh blocks. */
  isValid?: boolean
}

/** One core whose app and signer answer at once; everything that it asked for is in `effects`. */
export class TestNode {
  readonly actors: Actors
  readonly self: number | undefined
  readonly state: HeightState
  effects: Effect[] = []
  readonly #isValid: boolean

  constructor(init: NodeInit = {}) {
    this.actors = new Actors(init.powers ?? [1n, 1n, 1n, 1n])
    this.self = 'self' in init ? init.self : 0
    this.#isValid = init.isValid ?? true
    const { restored } = init
    this.state = createHeight({
      network,
      height: HEIGHT,
      validators: this.actors.validators,
      mix: MIX,
      self: this.self,
      verifier: cheapVerifier(isShaped),
      timeouts: TIMEOUTS_DEFAULT,
      ...(restored === undefined ? {} : { restored })
    })
  }

  /** Effects of this input and of the answers to what it asked for. */
  take(input: Input): Effect[] {
    const effects = step(this.state, input)
    for (let i = 0; i < effects.length; i++) {
      const reply = this.#answer(effects[i]!)
      if (reply !== undefined) effects.push(...step(this.state, reply))
    }
    this.effects.push(...effects)
    return effects
  }

  start(): Effect[] {
    return this.take({ type: 'start' })
  }

  receive(message: Message, from = 'peer'): Effect[] {
    return this.take({ type: 'message', from, message })
  }

  votes(...votes: SignedVote[]): Effect[] {
    return votes.flatMap(vote => this.receive({ type: 'vote', vote }))
  }

  certs(...certs: Certificate[]): Effect[] {
    const empty = { votes: [], proposals: [], blocks: [] }
    return this.receive({ type: 'have', have: { height: HEIGHT, certs, ...empty } })
  }

  propose(proposing: Proposing): Effect[] {
    return this.receive({ type: 'proposal', proposal: this.actors.proposal(proposing) })
  }

  timeout(timer: 'leader' | 'view' | 'repeat', view: bigint = this.state.view): Effect[] {
    return this.take({ type: 'timeout', timer, view })
  }

  #answer(effect: Effect): Input | undefined {
    if (effect.type === 'check') {
      return {
        type: 'checked',
        view: effect.view,
        blockHash: effect.blockHash,
        valid: this.#isValid
      }
    }
    if (effect.type === 'build') {
      return { type: 'built', view: effect.view, ...blockNamed(`${this.self}/${effect.view}`) }
    }
    return this.self === undefined ? undefined : this.actors.sign(this.self, effect)
  }
}

/** `kind@view` of every vote that the effects ask the signer for. */
export function signed(effects: readonly Effect[]): string[] {
  const names = { [notarize]: 'notarize', [nullify]: 'nullify', [finalize]: 'finalize' }
  return effects.flatMap(effect =>
    effect.type === 'sign-vote'
      ? [`${names[effect.vote.kind as 1 | 2 | 3]}@${effect.vote.view}`]
      : []
  )
}

export function only<T extends Effect['type']>(
  effects: readonly Effect[],
  type: T
): Extract<Effect, { type: T }>[] {
  return effects.filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type)
}

const four = new Actors([1n, 1n, 1n, 1n])
/** Who leads the views 1, 2 and 3 of four equals. */
export const leaders: readonly number[] = [1n, 2n, 3n].map(view => four.leader(view))
/** A member of four equals that leads none of them, and the three others. */
export const self: number = [0, 1, 2, 3].find(index => !leaders.includes(index))!
export const others: readonly number[] = [0, 1, 2, 3].filter(index => index !== self)

/** `self` of four equals unless said otherwise, after `start`. */
export function started(init: NodeInit = {}): TestNode {
  const node = new TestNode({ self, ...init })
  node.start()
  return node
}

export function types(effects: readonly Effect[]): string[] {
  return effects.map(({ type }) => type)
}
