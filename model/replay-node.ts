/**
 * One validator of a replay: the real core and signer with a disk in memory, and blocks that are just their names. It
 * answers every effect at once and remembers what it said.
 */
import { equal, fromUtf8, utf8 } from '../src/base/bytes.ts'
import { type Hash, sha256 } from '../src/base/hash.ts'
import { type SigningKey, signingKeyFromSeed } from '../src/base/keys.ts'
import { createHeight, type HeightState, step } from '../src/ledger/consensus/core.ts'
import { createSigner, decodeRecord, type Signer } from '../src/ledger/consensus/signer.ts'
import { TIMEOUTS_DEFAULT } from '../src/ledger/consensus/timeouts.ts'
import type {
  Effect,
  HeightInit,
  Input,
  Message,
  Misbehaviour,
  Restored,
  SignedProposal
} from '../src/ledger/consensus/types.ts'
import { realVerifier } from '../src/ledger/consensus/verifier.ts'
import { decodeMessage, encodeMessage } from '../src/ledger/consensus/wire.ts'
import type { NetworkId } from '../src/ledger/types/network.ts'
import type { Validator } from '../src/ledger/types/records.ts'

export const NETWORK: NetworkId = { chainId: 'model-1', genesisHash: sha256(utf8('model')) }
export const HEIGHT = 5n
const VALUES = ['a', 'b']

export interface Committee {
  /** In the order of the set. */
  names: string[]
  keys: Map<string, SigningKey>
  validators: Validator[]
}

/** Keys that follow from the names. */
export function committeeOf(powers: ReadonlyMap<string, number>): Committee {
  const keyOf = (name: string): SigningKey => signingKeyFromSeed(sha256(utf8(`model/${name}`)))
  const keys = new Map(Array.from(powers.keys(), name => [name, keyOf(name)]))
  const validators = Array.from(powers, ([name, power]) => ({
    publicKey: keys.get(name)!.publicKey,
    power: BigInt(power),
    account: keys.get(name)!.publicKey,
    beaconKey: new Uint8Array(48)
  }))
  return { names: [...powers.keys()], keys, validators }
}

export function blockOf(value: string): { block: Uint8Array; blockHash: Hash } {
  const block = utf8(value)
  return { block, blockHash: sha256(block) }
}

/** Name of a block; empty for nullify. */
export function nameOf(blockHash: Uint8Array): string {
  return VALUES.find(value => equal(blockOf(value).blockHash, blockHash)) ?? ''
}

export interface ReplayNodeInit {
  name: string
  committee: Committee
  mix: Uint8Array
  /** Which fresh block the node builds in a view. */
  chooses: (view: bigint) => string
}

export class ReplayNode {
  /** What was signed, as it left. */
  readonly votes: Restored['votes'] = []
  readonly proposals: SignedProposal[] = []
  readonly evidence: Misbehaviour[] = []
  /** Why it called the sender of a message faulty. */
  readonly complaints: string[] = []
  decided = ''
  readonly #init: ReplayNodeInit
  readonly #disk: Pick<Restored, 'certs' | 'blocks'> = { certs: [], blocks: [] }
  readonly #journal: Uint8Array[] = []
  #signer: Signer
  #core: HeightState

  constructor(init: ReplayNodeInit) {
    this.#init = init
    this.#signer = this.#newSigner()
    this.#core = createHeight(this.#heightInit())
    this.feed({ type: 'start' })
  }

  get view(): bigint {
    return this.#core.view
  }

  /** Everything but journal and disk is lost. */
  restart(): void {
    this.#signer = this.#newSigner()
    this.#core = createHeight(this.#heightInit())
    this.feed({ type: 'start' })
  }

  /** A message as it comes from the wire. */
  receive(from: string, message: Message): void {
    this.feed({ type: 'message', from, message: decodeMessage(encodeMessage(message)) })
  }

  /** Takes an input, and everything that follows from it. */
  feed(input: Input): void {
    const inputs = [input]
    for (const next of inputs) {
      for (const effect of step(this.#core, next)) inputs.push(...this.#answers(effect))
    }
  }

  #answers(effect: Effect): Input[] {
    switch (effect.type) {
      case 'persist-block':
        this.#disk.blocks.push({ blockHash: effect.blockHash, block: effect.block })
        return []
      case 'persist-cert':
        this.#disk.certs.push(effect.cert)
        return []
      case 'build': {
        const { view } = effect
        return [{ type: 'built', view, ...blockOf(this.#init.chooses(view)) }]
      }
      case 'check': {
        const { view, blockHash } = effect
        return [{ type: 'checked', view, blockHash, valid: true }]
      }
      case 'sign-proposal':
        return this.#signProposal(effect.proposal)
      case 'sign-vote':
        return this.#signVote(effect.vote)
      case 'decide':
        this.decided = nameOf(effect.blockHash)
        return []
      case 'evidence':
        this.evidence.push(effect.evidence)
        return []
      case 'misbehaved':
        this.complaints.push(effect.reason)
        return []
      case 'send':
      case 'ask':
      case 'set-timer':
        // The trace says what arrives and when timers fire.
        return []
    }
  }

  #signProposal(unsigned: Omit<SignedProposal, 'signature'>): Input[] {
    if (!this.#authorize(this.#signer.authorizeProposal(unsigned))) return []
    const proposal = this.#signer.signProposal(unsigned)
    this.proposals.push(proposal)
    return [{ type: 'proposal-signed', proposal }]
  }

  #signVote(unsigned: Extract<Effect, { type: 'sign-vote' }>['vote']): Input[] {
    if (!this.#authorize(this.#signer.authorizeVote(unsigned))) return []
    const vote = this.#signer.signVote(unsigned, this.#self)
    this.votes.push(vote)
    return [{ type: 'vote-signed', vote }]
  }

  #authorize(authorization: ReturnType<Signer['authorizeVote']>): boolean {
    if (!authorization.ok) return false
    const { record } = authorization
    if (record !== undefined) {
      this.#journal.push(record)
      this.#signer.journaled(record)
    }
    return true
  }

  get #self(): number {
    return this.#init.committee.names.indexOf(this.#init.name)
  }

  #newSigner(): Signer {
    const key = this.#init.committee.keys.get(this.#init.name)!
    return createSigner({ key, network: NETWORK, records: this.#journal.map(decodeRecord) })
  }

  #heightInit(): HeightInit {
    const { committee, mix } = this.#init
    const isBlock = (bytes: Uint8Array): boolean => VALUES.includes(fromUtf8(bytes))
    return {
      network: NETWORK,
      height: HEIGHT,
      validators: committee.validators,
      mix,
      self: this.#self,
      verifier: {
        ...realVerifier(NETWORK),
        block: bytes => (isBlock(bytes) ? sha256(bytes) : undefined)
      },
      timeouts: TIMEOUTS_DEFAULT,
      restored: {
        certs: [...this.#disk.certs],
        blocks: [...this.#disk.blocks],
        votes: [...this.votes],
        proposals: [...this.proposals]
      }
    }
  }
}
