/**
 * Streams between validators: one each way per pair, opened by its sender, both ends proven to speak for validators of
 * the set. What arrives is handed on as it comes; a peer that sends faster than the pace is read more slowly.
 *
 *   opener: introduction · accepter: introduction · opener: message, message, …
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { toHex } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { SigningKey } from '../../base/keys.ts'
import { MIB } from '../../base/limits.ts'
import type { Logger, Startable } from '../../base/ports.ts'
import { type ConsensusNet, MESSAGE_BYTES_MAX } from '../../ledger/index.ts'
import { connectedValidators, VALIDATOR_ROLE } from '../chain/validators.ts'
import { CONSENSUS_PROTOCOL } from '../net/protocols.ts'
import type { Channel, Net, RemotePeer } from '../net/types.ts'
import { INTRODUCTION_BYTES, introduce, introduced } from './introduction.ts'
import { Outbox } from './outbox.ts'
import { Pace } from './pace.ts'

/** Links that this node keeps up; the largest set with room for those who join. */
const LINKS_MAX = 128
const OUTBOX_LIMITS = { messagesMax: 1_024, bytesMax: 8 * MIB }
const INBOUND_BYTES_PER_SECOND_MAX: number = 8 * MIB
const INBOUND_MESSAGES_PER_SECOND_MAX = 1_000
const INTRODUCTION_TIMEOUT_MS = 10_000
const RETRY_MS_MIN = 250
const RETRY_MS_MAX = 10_000
/** A peer that broke the protocol is not listened to for this long. */
const PUNISHMENT_MS = 60_000
/** Between searches for validators that are not linked yet. */
const SEARCH_MS = 5_000
const SEARCH_TIMEOUT_MS = 10_000

export interface ValidatorLinksInit {
  net: Net
  genesisHash: Uint8Array
  validatorKey: SigningKey
  /** True for a vote key of the set in force or the next one. */
  isMember: (publicKey: Uint8Array) => boolean
  /** How many validators there are to find, ourselves included. */
  membersCount: () => number
  nowMs: () => number
  logger: Logger
}

export class ValidatorLinks implements ConsensusNet, Startable {
  readonly #init: ValidatorLinksInit
  readonly #stop = new AbortController()
  /** Outboxes of proven links, by peer id. */
  readonly #open = new Map<string, Outbox>()
  /** Peers with a task that keeps their link up. */
  readonly #tasks = new Map<string, Promise<void>>()
  readonly #inbound = new Map<string, Channel>()
  readonly #punishedUntilMs = new Map<string, number>()
  #handler: ((from: string, message: Uint8Array) => void) | undefined
  #searching: Promise<void> = Promise.resolve()
  #unsubscribe: () => void = () => {}

  constructor(init: ValidatorLinksInit) {
    this.#init = init
    init.net.handle(CONSENSUS_PROTOCOL, (channel, signal) => this.#accept(channel, signal))
  }

  async start(): Promise<void> {
    const { net } = this.#init
    for (const peerId of connectedValidators(net)) this.#keep(peerId)
    this.#unsubscribe = net.onPeer(peerId => {
      if (connectedValidators(net).includes(peerId)) this.#keep(peerId)
    })
    this.#searching = this.#search()
  }

  async stop(): Promise<void> {
    this.#unsubscribe()
    this.#stop.abort()
    for (const channel of this.#inbound.values()) channel.abort(stopping())
    await Promise.all([this.#searching, ...this.#tasks.values()])
  }

  onMessage(handler: (from: string, message: Uint8Array) => void): void {
    this.#handler = handler
  }

  broadcast(message: Uint8Array): void {
    for (const outbox of this.#open.values()) outbox.push(message)
  }

  send(to: string, message: Uint8Array): void {
    this.#open.get(to)?.push(message)
  }

  peers(): string[] {
    return [...this.#open.keys()]
  }

  punish(peer: string, reason: string): void {
    this.#init.logger.warn('validator.punished', { peer, reason })
    this.#punishedUntilMs.set(peer, this.#init.nowMs() + PUNISHMENT_MS)
    this.#inbound.get(peer)?.abort(new HoldfastError('PROTOCOL_VIOLATION', reason))
  }

  #isPunished(peer: string): boolean {
    const untilMs = this.#punishedUntilMs.get(peer)
    if (untilMs === undefined) return false
    if (untilMs > this.#init.nowMs()) return true
    this.#punishedUntilMs.delete(peer)
    return false
  }

  /** Looks for validators in the directory as long as some are missing. */
  async #search(): Promise<void> {
    const { net, membersCount, logger } = this.#init
    const { signal } = this.#stop
    while (!signal.aborted) {
      if (this.#open.size + 1 < membersCount()) {
        try {
          const options = { signal, timeoutMs: SEARCH_TIMEOUT_MS }
          for await (const { peerId } of net.find(VALIDATOR_ROLE, options)) this.#keep(peerId)
        } catch (error) {
          logger.debug('validator.search', { reason: messageOf(error) })
        }
      }
      await pause(SEARCH_MS, signal)
    }
  }

  #keep(peerId: string): void {
    const { signal } = this.#stop
    if (peerId === this.#init.net.peerId || this.#tasks.has(peerId) || signal.aborted) return
    if (this.#tasks.size >= LINKS_MAX) return
    const task = this.#link(peerId).finally(() => this.#tasks.delete(peerId))
    this.#tasks.set(peerId, task)
  }

  /** Sends to one peer until it is neither connected nor reachable any more; whoever finds it again starts anew. */
  async #link(peerId: string): Promise<void> {
    const { signal } = this.#stop
    let retryMs = RETRY_MS_MIN
    while (!signal.aborted) {
      try {
        await this.#pump(peerId, () => {
          retryMs = RETRY_MS_MIN
        })
      } catch (error) {
        if (signal.aborted) return
        this.#init.logger.debug('validator.link', { peer: peerId, reason: messageOf(error) })
        if (HoldfastError.is(error, 'WRONG_NETWORK')) return
        if (retryMs === RETRY_MS_MAX && !this.#isConnected(peerId)) return
      }
      await pause(retryMs, signal)
      retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)
    }
  }

  #isConnected(peerId: string): boolean {
    return this.#init.net.connected().some(peer => peer.peerId === peerId)
  }

  async #pump(peerId: string, onOpen: () => void): Promise<void> {
    const { signal } = this.#stop
    const wait = { signal, timeoutMs: INTRODUCTION_TIMEOUT_MS }
    const channel = await this.#init.net.open(peerId, CONSENSUS_PROTOCOL, wait)
    const outbox = new Outbox(OUTBOX_LIMITS)
    // the accepter sends nothing after its introduction: an end of its side is the end of the link
    const ended = new AbortController()
    try {
      await channel.writeFrame(this.#introduction(channel.remote), wait)
      const answer = await channel.readFrame(INTRODUCTION_BYTES, wait)
      this.#member(answer, channel.remote)
      channel
        .readSome(1, { signal, timeoutMs: Infinity })
        .catch(() => {})
        .finally(() => ended.abort())
      this.#open.set(peerId, outbox)
      onOpen()
      const over = AbortSignal.any([signal, ended.signal])
      for (;;) {
        const message = await outbox.next(over)
        if (message === undefined) return
        await channel.writeFrame(message, { signal: over })
      }
    } finally {
      if (this.#open.get(peerId) === outbox) this.#open.delete(peerId)
      channel.abort(stopping())
    }
  }

  /**
   * Reads from one validator for as long as it sends; a second stream of the same peer takes the place of the first.
   */
  async #accept(channel: Channel, signal: AbortSignal): Promise<void> {
    const { remote } = channel
    if (this.#isPunished(remote.peerId)) {
      throw new HoldfastError('REMOTE_REFUSED', 'this peer broke the protocol a moment ago')
    }
    const wait = { signal, timeoutMs: INTRODUCTION_TIMEOUT_MS }
    this.#member(await channel.readFrame(INTRODUCTION_BYTES, wait), remote)
    this.#inbound.get(remote.peerId)?.abort(new HoldfastError('ABORTED', 'replaced by a newer one'))
    this.#inbound.set(remote.peerId, channel)
    try {
      await channel.writeFrame(this.#introduction(remote), wait)
      this.#keep(remote.peerId)
      await this.#read(channel, signal)
    } finally {
      if (this.#inbound.get(remote.peerId) === channel) this.#inbound.delete(remote.peerId)
    }
  }

  async #read(channel: Channel, signal: AbortSignal): Promise<void> {
    const pace = new Pace({
      bytesPerSecond: INBOUND_BYTES_PER_SECOND_MAX,
      messagesPerSecond: INBOUND_MESSAGES_PER_SECOND_MAX,
      nowMs: this.#init.nowMs
    })
    for (;;) {
      const frame = await channel.readFrame(MESSAGE_BYTES_MAX, { signal, timeoutMs: Infinity })
      if (frame === undefined) return
      this.#handler?.(channel.remote.peerId, frame)
      const waitMs = pace.took(frame.length)
      if (waitMs > 0) await pause(waitMs, signal)
    }
  }

  #introduction({ peerKey }: RemotePeer): Uint8Array {
    const { net, genesisHash, validatorKey } = this.#init
    return introduce(validatorKey, { genesisHash, fromPeerKey: net.peerKey, toPeerKey: peerKey })
  }

  #member(bytes: Uint8Array | undefined, { peerId, peerKey }: RemotePeer): void {
    const { net, genesisHash, isMember } = this.#init
    const ends = { genesisHash, fromPeerKey: peerKey, toPeerKey: net.peerKey }
    const publicKey = bytes === undefined ? undefined : introduced(bytes, ends)
    if (publicKey !== undefined && isMember(publicKey)) return
    const who = publicKey === undefined ? 'it did not introduce itself' : toHex(publicKey)
    throw new HoldfastError('REMOTE_REFUSED', `${peerId} is no validator: ${who}`)
  }
}

function stopping(): HoldfastError {
  return new HoldfastError('ABORTED', 'the link ends')
}

/** Ends early, without an error, when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}
