/** An honest member of a schedule: core, signer, and a disk that outlives its crashes. */
import assert from 'node:assert/strict'
import type { SigningKey } from '../../../src/base/keys.ts'
import type { JournalRecord } from '../../../src/ledger/consensus/signer.ts'
import { TIMEOUTS_DEFAULT } from '../../../src/ledger/consensus/timeouts.ts'
import type {
  Effect,
  Input,
  Restored,
  TimerKind,
  Verifier
} from '../../../src/ledger/consensus/types.ts'
import type { Certificate } from '../../../src/ledger/types/block.ts'
import type { Modules } from './mutants.ts'
import { type Actors, HEIGHT, MIX, network } from './support.ts'

export type SignEffect = Extract<Effect, { type: 'sign-vote' | 'sign-proposal' }>

interface Disk {
  certs: Certificate[]
  blocks: { blockHash: Uint8Array; block: Uint8Array }[]
  records: JournalRecord[]
}

export interface Parts {
  modules: Modules
  actors: Actors
  verifier: Verifier
}

export class Member {
  readonly name: string
  readonly self: number | undefined
  readonly disk: Disk = { certs: [], blocks: [], records: [] }
  /** Views of the timers that run. */
  readonly timers: Map<TimerKind, bigint> = new Map()
  isUp = true
  decided: string | undefined
  core!: ReturnType<Modules['createHeight']>
  readonly #parts: Parts
  #signer!: ReturnType<Modules['createSigner']>

  constructor(name: string, self: number | undefined, parts: Parts) {
    this.name = name
    this.self = self
    this.#parts = parts
    this.reboot()
  }

  crash(): void {
    this.isUp = false
    this.timers.clear()
  }

  /** Core and signer anew, from the disk. */
  reboot(): void {
    const { modules, actors, verifier } = this.#parts
    const { createHeight, createSigner } = modules
    this.#signer = createSigner({ key: NO_KEY, network, records: this.disk.records })
    this.core = createHeight({
      network,
      height: HEIGHT,
      validators: actors.validators,
      mix: MIX,
      self: this.self,
      verifier,
      timeouts: TIMEOUTS_DEFAULT,
      restored: this.#restored()
    })
  }

  step(input: Input): Effect[] {
    return this.#parts.modules.step(this.core, input)
  }

  /** Journaled and signed; undefined when the signer refuses. */
  sign(effect: SignEffect): Input | undefined {
    const { modules, actors } = this.#parts
    const authorization =
      effect.type === 'sign-vote'
        ? this.#signer.authorizeVote(effect.vote)
        : this.#signer.authorizeProposal(effect.proposal)
    if (!authorization.ok) return undefined
    if (authorization.record !== undefined) {
      this.#signer.journaled(authorization.record)
      this.disk.records.push(modules.decodeRecord(authorization.record))
    }
    return actors.sign(this.self!, effect)
  }

  #restored(): Restored {
    const { certs, blocks, records } = this.disk
    const restored: Restored = { certs: [...certs], blocks: [...blocks], votes: [], proposals: [] }
    for (const { kind, height, view, blockHash, base } of records) {
      const body = { justify: [], block: new Uint8Array(0) }
      const effect: SignEffect =
        kind === 0
          ? { type: 'sign-proposal', proposal: { height, view, blockHash, base, ...body } }
          : { type: 'sign-vote', vote: { kind, height, view, blockHash } }
      const signed = this.#parts.actors.sign(this.self!, effect)
      if (signed?.type === 'vote-signed') restored.votes.push(signed.vote)
      if (signed?.type === 'proposal-signed') restored.proposals.push(signed.proposal)
    }
    return restored
  }
}

/** Signatures are made by the actors; the signer only rules. */
const NO_KEY: SigningKey = {
  publicKey: new Uint8Array(32),
  seed: new Uint8Array(32),
  sign: () => assert.fail('signatures are cheap here')
}
