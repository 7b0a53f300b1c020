/**
 * Runs consensus: height after height over a replica, one turn after the other. A turn takes what waits (messages,
 * timers, a new head), lets the core decide what follows, and ends with one flush of the journal. Everything that other
 * processes could see of it, votes above all, stays in the outbox until that flush: so whatever was signed is durable
 * before it exists for anybody else (ledger.md 1.5), at one fsync per turn.
 *
 * Blocks reach the replica from here or from anybody else (catch-up sync): the driver goes on from the replica's head,
 * whoever moved it.
 */
import { assert } from '../../base/assert.ts'
import { equal } from '../../base/bytes.ts'
import { HoldfastError, messageOf, toHoldfastError } from '../../base/errors.ts'
import { decodeBlock } from '../block.ts'
import type { Certificate } from '../types/block.ts'
import type { ConsensusDriver, DriverInit, DriverState } from './driver-types.ts'
import { EarlyMessages } from './early-messages.ts'
import { HeightRun, type Outcome, RULES } from './height-run.ts'
import { Inbox } from './inbox.ts'
import { Journal } from './journal.ts'
import { LastCommit } from './last-commit.ts'
import { LateAnswers } from './late-answers.ts'
import { heightOf } from './message-height.ts'
import { Outbox } from './outbox.ts'
import type { Signer } from './signer.ts'
import { TIMEOUTS_DEFAULT } from './timeouts.ts'
import type { Input, Message, Sender, Verifier } from './types.ts'
import { realVerifier } from './verifier.ts'
import { decodeMessage } from './wire.ts'

/** Messages of one turn; then what they caused is made durable and sent. */
export const TURN_MESSAGES_MAX = 64

export function createDriver(init: DriverInit): ConsensusDriver {
  return new Driver(init)
}

class Driver implements ConsensusDriver {
  readonly #init: DriverInit
  readonly #verifier: Verifier
  readonly #journal: Journal
  readonly #inbox = new Inbox()
  readonly #early = new EarlyMessages()
  readonly #late: LateAnswers
  readonly #last: LastCommit
  readonly #outbox: Outbox
  #state: DriverState = { kind: 'stopped' }
  #signer: Signer | undefined
  /** The height that is open; 0 before start. */
  #height = 0n
  /** Whether a height was left behind in this turn. */
  #hasMovedOn = false
  #run: HeightRun | undefined
  #timers = new Set<() => void>()
  /** Timers that fired: whether to begin the height, and inputs of its core. */
  #isDue = false
  #fired: Input[] = []
  #loop: Promise<void> | undefined
  #isStopped = false
  #unsubscribe: () => void = () => {}

  constructor(init: DriverInit) {
    this.#init = init
    this.#verifier = init.verifier ?? realVerifier(init.replica.network)
    this.#journal = new Journal(init.files, init.journalRotateBytes)
    this.#late = new LateAnswers(init.replica)
    this.#last = new LastCommit(init.replica, this.#verifier)
    this.#outbox = new Outbox(init.net, init.random)
  }

  get state(): DriverState {
    return this.#state
  }

  get position(): { height: bigint; view: bigint } {
    return { height: this.#height, view: this.#run?.view ?? 0n }
  }

  async start(): Promise<void> {
    const { replica, validatorKey, net, rules } = this.#init
    this.#checkBeaconKey()
    const records = await this.#journal.open()
    this.#signer = (rules ?? RULES).createSigner({
      key: validatorKey,
      network: replica.network,
      records
    })
    this.#unsubscribe = replica.onBlock(() => this.#wake())
    net.onMessage((from, bytes) => {
      if (this.#isStopped) return
      this.#inbox.put(from, bytes)
      this.#wake()
    })
    this.#state = { kind: 'waiting' }
    this.#wake()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#unsubscribe()
    this.#endHeight()
    await this.#loop
    if (this.#state.kind !== 'read-only') this.#state = { kind: 'stopped' }
  }

  /** A member of the set whose reveals nobody can verify would only cost views. */
  #checkBeaconKey(): void {
    const { replica, validatorKey, beaconKey } = this.#init
    const own = replica
      .validators()
      .find(({ publicKey }) => equal(publicKey, validatorKey.publicKey))
    if (own === undefined || equal(own.beaconKey, beaconKey.publicKey)) return
    throw new HoldfastError('CONFIG_INVALID', 'these keys are not those of a validator', {
      hint: 'compare `holdfast ledger validators` with the keys of this home'
    })
  }

  /** Begins turns unless they run already; never inside the caller. */
  #wake(): void {
    this.#loop ??= Promise.resolve().then(() => this.#turns())
  }

  async #turns(): Promise<void> {
    try {
      while (!this.#isStopped && this.#hasWork()) await this.#endTurn(this.#takeTurn())
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#loop = undefined
    }
  }

  #hasWork(): boolean {
    if (this.#init.replica.isCommitting) return false
    if (this.#state.kind === 'read-only') return !this.#inbox.isEmpty
    const isBehind = this.#height <= this.#init.replica.height
    return isBehind || this.#isDue || this.#fired.length > 0 || !this.#inbox.isEmpty
  }

  #takeTurn(): Outcome {
    const result: Outcome = { decided: undefined, evidence: [] }
    if (this.#state.kind !== 'read-only') {
      if (this.#height <= this.#init.replica.height) this.#openHeight()
      if (this.#isDue) this.#beginHeight(result)
      for (const input of this.#fired.splice(0)) this.#feed(input, result)
    }
    for (let count = 0; count < TURN_MESSAGES_MAX && result.decided === undefined; count++) {
      const next = this.#inbox.take()
      if (next === undefined) break
      this.#receive(next.from, next.bytes, result)
    }
    return result
  }

  async #endTurn({ decided, evidence }: Outcome): Promise<void> {
    try {
      await this.#journal.flush()
    } catch (error) {
      this.#outbox.discard()
      throw error
    }
    if (this.#isStopped) return
    this.#outbox.send()
    for (const found of evidence) this.#init.onEvidence?.(found)
    if (decided !== undefined) await this.#apply(decided)
    if (this.#hasMovedOn) {
      this.#hasMovedOn = false
      await this.#journal.rotate()
    }
  }

  /** The replica may have the block already, from somebody else. */
  async #apply({ block, cert }: { block: Uint8Array; cert: Certificate }): Promise<void> {
    const { replica } = this.#init
    if (replica.height >= this.#height) return
    try {
      await replica.applyFinalized(decodeBlock(block), cert)
    } catch (error) {
      if (replica.height < this.#height) throw error
    }
  }

  /** The height above the head: begins when its interval is over. */
  #openHeight(): void {
    const { replica, clock } = this.#init
    this.#endHeight()
    // not after a restart: then the journal holds what the open height needs
    this.#hasMovedOn = this.#height > 0n
    const head = replica.head()
    this.#height = head.height + 1n
    this.#journal.forgetBelow(this.#height)
    this.#state = { kind: 'waiting' }
    const { blockIntervalMs } = replica.params
    const restMs = head.timeMs + blockIntervalMs - clock.nowMs()
    // a clock that was set back must not stop the ledger
    const waitMs = Math.max(0, Math.min(restMs, blockIntervalMs))
    this.#setTimer(waitMs, () => {
      this.#isDue = true
    })
  }

  #beginHeight(result: Outcome): void {
    this.#isDue = false
    const { replica, mempool, validatorKey, beaconKey, clock } = this.#init
    assert(this.#signer !== undefined, 'the driver has started')
    this.#run = new HeightRun({
      rules: this.#init.rules ?? RULES,
      proposer: {
        replica,
        mempool,
        validatorKey,
        beaconKey,
        lastCert: () => this.#last.certificate()
      },
      height: this.#height,
      signer: this.#signer,
      journal: this.#journal,
      outbox: this.#outbox,
      verifier: this.#verifier,
      timeouts: this.#init.timeouts ?? TIMEOUTS_DEFAULT,
      refusesForeignVotes: this.#init.refusesForeignVotes ?? true,
      logger: this.#init.logger,
      nowMs: () => clock.nowMs(),
      setTimer: (afterMs, input) => this.#setTimer(afterMs, () => this.#fired.push(input)),
      punish: (from, reason) => this.#init.net.punish(from, reason)
    })
    this.#state = { kind: this.#run.isMember ? 'voting' : 'watching' }
    this.#feed({ type: 'start' }, result)
    for (const { from, message } of this.#early.take(this.#height)) {
      this.#feed({ type: 'message', from, message }, result)
    }
  }

  #endHeight(): void {
    for (const cancel of this.#timers) cancel()
    this.#timers = new Set()
    this.#fired = []
    this.#isDue = false
    this.#run = undefined
  }

  #feed(input: Input, result: Outcome): void {
    if (this.#run === undefined || result.decided !== undefined) return
    const { decided, evidence } = this.#run.take(input)
    result.decided = decided
    result.evidence.push(...evidence)
  }

  #receive(from: Sender, bytes: Uint8Array, result: Outcome): void {
    let message: Message
    try {
      message = decodeMessage(bytes)
    } catch (error) {
      this.#init.net.punish(from, messageOf(error))
      return
    }
    const height = heightOf(message)
    if (height <= this.#init.replica.height) this.#receiveLate(from, message)
    if (this.#state.kind === 'read-only' || height < this.#height) return
    if (height > this.#height) this.#init.onBehind?.(height, from)
    if (height > this.#height || this.#run === undefined) {
      this.#early.put(this.#height, from, message)
    } else {
      this.#feed({ type: 'message', from, message }, result)
    }
  }

  #receiveLate(from: Sender, message: Message): void {
    if (message.type === 'vote') this.#last.add(message.vote)
    const answer = this.#late.answer(from, message, this.#init.clock.nowMs())
    if (answer !== undefined) this.#outbox.put(from, answer)
  }

  #setTimer(afterMs: number, fire: () => void): void {
    const cancel = this.#init.clock.setTimer(afterMs, () => {
      this.#timers.delete(cancel)
      fire()
      this.#wake()
    })
    this.#timers.add(cancel)
  }

  /** Stop voting, stay up. */
  #fail(cause: unknown): void {
    const error = toHoldfastError(cause)
    this.#endHeight()
    this.#state = { kind: 'read-only', error }
    this.#init.logger.error('consensus.read-only', { height: this.#height, reason: error.message })
    this.#wakeIfWaiting()
  }

  #wakeIfWaiting(): void {
    if (this.#inbox.isEmpty || this.#isStopped) return
    void Promise.resolve().then(() => this.#wake())
  }
}
