/** One height of the driver: feeds the core and carries out what it asks for, in order. Nothing in here waits. */
import { assert } from '../../base/assert.ts'
import { equal } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Logger } from '../../base/ports.ts'
import { decodeBlock } from '../block.ts'
import type { Certificate } from '../types/block.ts'
import { createHeight, type HeightState, step } from './core.ts'
import type { Journal } from './journal.ts'
import type { Outbox } from './outbox.ts'
import { buildBlock, isFreshBlockValid, type ProposerInit } from './proposer.ts'
import {
  type Authorization,
  createSigner,
  encodeRecord,
  PROPOSAL_RECORD_KIND,
  recordOfVote,
  type Signer
} from './signer.ts'
import type {
  Effect,
  Input,
  Misbehaviour,
  Restored,
  Sender,
  SignedVote,
  Timeouts,
  Verifier
} from './types.ts'

/** The pure parts that decide. */
export interface Rules {
  createHeight: typeof createHeight
  step: typeof step
  createSigner: typeof createSigner
}

export const RULES: Rules = { createHeight, step, createSigner }

export interface HeightRunInit {
  rules: Rules
  /** Its replica stands below the height. */
  proposer: ProposerInit
  height: bigint
  signer: Signer
  /** Open. What is added to it is flushed before anything in the outbox leaves. */
  journal: Journal
  outbox: Outbox
  verifier: Verifier
  timeouts: Timeouts
  refusesForeignVotes: boolean
  logger: Logger
  nowMs(): number
  setTimer(afterMs: number, input: Input): void
  punish(peer: Sender, reason: string): void
}

/** What an input came to, besides the outbox and the journal. */
export interface Outcome {
  decided: { block: Uint8Array; cert: Certificate } | undefined
  evidence: Misbehaviour[]
}

export class HeightRun {
  readonly #init: HeightRunInit
  readonly #self: number | undefined
  readonly #core: HeightState
  /** Answers to effects, taken before anything else. */
  #answers: Input[] = []
  #outcome: Outcome = { decided: undefined, evidence: [] }
  #hasForeignVotes = false

  constructor(init: HeightRunInit) {
    const { proposer, height, signer, verifier, timeouts } = init
    const { replica } = proposer
    const validators = replica.validators()
    const index = validators.findIndex(({ publicKey }) => equal(publicKey, signer.publicKey))
    this.#init = init
    this.#self = index < 0 ? undefined : index
    this.#core = init.rules.createHeight({
      network: replica.network,
      height,
      validators,
      mix: replica.mix(),
      self: this.#self,
      verifier,
      timeouts,
      restored: this.#restored()
    })
  }

  get view(): bigint {
    return this.#core.view
  }

  /** Whether this validator is in the set of the height. */
  get isMember(): boolean {
    return this.#self !== undefined
  }

  take(input: Input): Outcome {
    this.#outcome = { decided: undefined, evidence: [] }
    if (input.type === 'message' && input.message.type === 'vote') this.#guard(input.message.vote)
    this.#answers = [input]
    for (let next = this.#answers.shift(); next !== undefined; next = this.#answers.shift()) {
      for (const effect of this.#init.rules.step(this.#core, next)) this.#carryOut(effect)
    }
    return this.#outcome
  }

  #carryOut(effect: Effect): void {
    const { journal, outbox, punish, setTimer } = this.#init
    switch (effect.type) {
      case 'persist-block':
        journal.addBlock(effect.block)
        break
      case 'persist-cert':
        journal.addCert(effect.cert)
        break
      case 'build':
        this.#build(effect.view)
        break
      case 'check':
        this.#check(effect)
        break
      case 'sign-proposal':
        this.#signProposal(effect.proposal)
        break
      case 'sign-vote':
        this.#signVote(effect.vote)
        break
      case 'send':
        outbox.put(effect.to, effect.message)
        break
      case 'ask':
        outbox.putSome([
          { type: 'have', have: effect.have },
          { type: 'need', need: effect.need }
        ])
        break
      case 'set-timer':
        setTimer(effect.afterMs, { type: 'timeout', timer: effect.timer, view: effect.view })
        break
      case 'decide':
        this.#outcome.decided = { block: effect.block, cert: effect.cert }
        break
      case 'evidence':
        this.#outcome.evidence.push(effect.evidence)
        break
      case 'misbehaved':
        punish(effect.from, effect.reason)
        break
    }
  }

  #build(view: bigint): void {
    const { proposer, nowMs } = this.#init
    this.#answers.push({ type: 'built', view, ...buildBlock(proposer, view, nowMs()) })
  }

  #check({ view, blockHash, block }: Extract<Effect, { type: 'check' }>): void {
    const { proposer, nowMs } = this.#init
    const valid = isFreshBlockValid(proposer.replica, { view, block }, nowMs())
    this.#answers.push({ type: 'checked', view, blockHash, valid })
  }

  #signProposal(proposal: Extract<Effect, { type: 'sign-proposal' }>['proposal']): void {
    const { signer } = this.#init
    if (!this.#mayNow(() => signer.authorizeProposal(proposal))) return
    this.#answers.push({ type: 'proposal-signed', proposal: signer.signProposal(proposal) })
  }

  #signVote(vote: Extract<Effect, { type: 'sign-vote' }>['vote']): void {
    const { signer } = this.#init
    assert(this.#self !== undefined, 'only members of the set are asked to vote')
    if (!this.#mayNow(() => signer.authorizeVote(vote))) return
    this.#answers.push({ type: 'vote-signed', vote: signer.signVote(vote, this.#self) })
  }

  /** The record is in this turn's frame: durable before the signature is seen by anybody but the core. */
  #mayNow(authorize: () => Authorization): boolean {
    const { signer, journal, logger, height } = this.#init
    if (this.#hasForeignVotes) return false
    const authorization = authorize()
    if (!authorization.ok) {
      logger.warn('consensus.not-signed', { height, reason: authorization.reason })
      return false
    }
    if (authorization.record !== undefined) {
      journal.addSigned(authorization.record)
      signer.journaled(authorization.record)
    }
    return true
  }

  /** A vote of our key that our journal lacks: see DriverInit.refusesForeignVotes. */
  #guard(vote: SignedVote): void {
    const { refusesForeignVotes, journal, verifier, signer, logger, height } = this.#init
    if (!refusesForeignVotes || this.#hasForeignVotes || vote.validator !== this.#self) return
    if (journal.hasSigned(encodeRecord(recordOfVote(vote)))) return
    if (!verifier.vote(signer.publicKey, vote)) return
    this.#hasForeignVotes = true
    logger.error('consensus.foreign-vote', {
      height,
      reason: 'this key has voted elsewhere: an old copy of the journal, or two nodes with one key'
    })
  }

  #restored(): Restored {
    const { journal, signer, verifier, height } = this.#init
    const { records, certs, blocks } = journal.restored(height, heightOfBlock)
    const named = blocks.map(block => ({ blockHash: verifier.block(block)!, block }))
    const restored: Restored = { certs, blocks: named, votes: [], proposals: [] }
    // above: the database is older than the journal, and the signer keeps silent until it has caught up
    if (this.#self === undefined || journal.signedHeight > height) return restored
    for (const record of records) {
      if (record.kind !== PROPOSAL_RECORD_KIND) {
        restored.votes.push(signer.signVote(record, this.#self))
        continue
      }
      const { view, blockHash, base } = record
      const body = named.find(known => equal(known.blockHash, blockHash))?.block
      const block = base === 0n && body !== undefined ? body : new Uint8Array(0)
      restored.proposals.push(
        signer.signProposal({ height, view, blockHash, base, justify: [], block })
      )
    }
    return restored
  }
}

function heightOfBlock(block: Uint8Array): bigint | undefined {
  try {
    return decodeBlock(block).header.height
  } catch (error) {
    if (HoldfastError.is(error)) return undefined
    throw error
  }
}
