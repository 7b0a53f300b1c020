/**
 * One piece on one provider, read range by range over a single stream. Every 16 KiB group is checked against the piece
 * root on arrival, so a bad byte names its sender and costs only that group. A source that fails to answer is spent;
 * a source with damaged groups keeps serving the good ones.
 */
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { GROUP_BYTES, HASH_BYTES } from '../../base/limits.ts'
import { bytesOfGroup, verifyGroup, verifyRange } from '../../proofs/index.ts'
import { PIECE_GET_PROTOCOL } from '../net/protocols.ts'
import type { Channel, Net } from '../net/types.ts'
import * as messages from '../wire/piece-messages.ts'
import type { SharedMemory } from './shared-memory.ts'
import { takeTurn } from './turn.ts'

const ANSWER_TIMEOUT_MS = 15_000
/** A request that is still unanswered when its source is closed makes the source a laggard after this long. */
const LAG_MS = 500

/** Groups in a row. `bytes` is meaningful only where `good`; memory of the read, to be given back. */
export interface GroupRun {
  bytes: Uint8Array
  good: boolean[]
}

export interface PieceSourceInit {
  net: Net
  /** Learns where the peer is now, before it is dialled. */
  locate: (peerId: string, signal: AbortSignal) => Promise<void>
  peerId: string
  root: Uint8Array
  pieceBytes: number
  /** Where received bytes go. */
  memory: SharedMemory
  signal: AbortSignal
  onFailure: (peerId: string, reason: string) => void
  /** Told when the read was over before the peer had answered. */
  onLag: (peerId: string) => void
  /** Told at the end, when the peer answered all it was asked: good bytes, and the time they took to come. */
  onServed?: (peerId: string, bytes: number, durationMs: number) => void
}

export class PieceSource {
  readonly peerId: string
  readonly #init: PieceSourceInit
  #channel: Channel | undefined
  #queue: Promise<unknown> = Promise.resolve()
  #spent = false
  #closed = false
  #pending = 0
  #askedAtMs = 0
  #servedBytes = 0
  #servedMs = 0

  constructor(init: PieceSourceInit) {
    this.#init = init
    this.peerId = init.peerId
  }

  /** True once the provider failed to answer: no further request is worth a try. */
  get spent(): boolean {
    return this.#spent
  }

  /** Requests asked and not answered yet: a slow source has more. */
  get pending(): number {
    return this.#pending
  }

  /**
   * The bytes of a run of groups, and which of them are good: not damaged on the provider's disk, and verified. Rejects
   * never: a source that cannot answer gives nothing, and says why through `onFailure`. Requests queue up behind each
   * other; memory is taken when one is answered.
   */
  read(firstGroup: number, groups: number): Promise<GroupRun> {
    this.#pending++
    const result = this.#queue
      .then(() => this.#readOrNothing(firstGroup, groups))
      .finally(() => this.#pending--)
    this.#queue = result
    return result
  }

  /** Requests under way end with holes; nobody is blamed for them. */
  close(): void {
    if (this.#closed) return
    const waitedMs = performance.now() - this.#askedAtMs
    if (this.#pending > 0 && !this.#spent && waitedMs > LAG_MS) this.#init.onLag(this.peerId)
    this.#closed = true
    if (this.#servedBytes > 0 && !this.#spent) {
      this.#init.onServed?.(this.peerId, this.#servedBytes, this.#servedMs)
    }
    this.#dropChannel()
  }

  #dropChannel(): void {
    this.#channel?.abort(new HoldfastError('ABORTED', 'no longer needed'))
    this.#channel = undefined
  }

  async #readOrNothing(firstGroup: number, groups: number): Promise<GroupRun> {
    const nothing = { bytes: new Uint8Array(0), good: new Array<boolean>(groups).fill(false) }
    const { signal, onFailure } = this.#init
    if (this.#spent || this.#closed || signal.aborted) return nothing
    try {
      this.#askedAtMs = performance.now()
      return await this.#request(firstGroup, groups)
    } catch (error) {
      this.#spent = true
      this.#dropChannel()
      if (!this.#closed && !signal.aborted) onFailure(this.peerId, messageOf(error))
      return nothing
    }
  }

  async #request(firstGroup: number, groups: number): Promise<GroupRun> {
    const { root, pieceBytes, signal } = this.#init
    const wait = { signal, timeoutMs: ANSWER_TIMEOUT_MS }
    const channel = this.#channel ?? (await this.#open())
    await messages.sendMessage(channel, { root, firstGroup, groups }, wait)
    const answer = await messages.expectMessage(channel, messages.getAnswer, wait)
    const proof = { cvs: answer.cvs, siblings: answer.siblings }
    if (answer.pieceBytes !== pieceBytes) {
      throw new HoldfastError('PROOF_INVALID', 'the provider claims another length for the piece')
    }
    verifyRange({ root, pieceBytes, firstGroup, groups, proof })
    const bytes = this.#init.memory.take(groups * GROUP_BYTES)
    try {
      const startedAtMs = performance.now()
      const good = await this.#receiveGroups(channel, answer, firstGroup, bytes)
      this.#servedMs += performance.now() - startedAtMs
      this.#servedBytes += good.filter(Boolean).length * GROUP_BYTES
      return { bytes, good }
    } catch (error) {
      this.#init.memory.give(bytes)
      throw error
    }
  }

  async #open(): Promise<Channel> {
    const { net, signal } = this.#init
    await this.#init.locate(this.peerId, signal)
    const wait = { signal, timeoutMs: ANSWER_TIMEOUT_MS }
    this.#channel = await net.open(this.peerId, PIECE_GET_PROTOCOL, wait)
    if (this.#closed) this.#dropChannel()
    if (this.#channel === undefined) throw new HoldfastError('ABORTED', 'no longer needed')
    return this.#channel
  }

  /** Which of the groups are good. */
  async #receiveGroups(
    channel: Channel,
    answer: messages.GetAnswerMessage,
    firstGroup: number,
    memory: Uint8Array
  ): Promise<boolean[]> {
    const { pieceBytes, signal, onFailure } = this.#init
    const damaged = new Set(answer.damaged)
    const good: boolean[] = []
    const groups = answer.cvs.length / HASH_BYTES
    for (let i = 0; i < groups; i++) {
      const groupIndex = firstGroup + i
      if (damaged.has(groupIndex)) {
        onFailure(this.peerId, 'the provider reports damaged bytes on its disk')
        good.push(false)
        continue
      }
      const from = i * GROUP_BYTES
      const bytes = memory.subarray(from, from + bytesOfGroup(pieceBytes, groupIndex))
      await takeTurn(bytes.length)
      await channel.readInto(bytes, { signal, timeoutMs: ANSWER_TIMEOUT_MS })
      const cv = answer.cvs.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)
      const isGood = verifyGroup({ cv, groupIndex, pieceBytes, bytes })
      if (!isGood) onFailure(this.peerId, 'bytes that do not match the piece root')
      good.push(isGood)
    }
    return good
  }
}
