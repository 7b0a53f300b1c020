/**
 * Messages that wait for a slow link: bounded, and the oldest give way, because consensus repeats what still matters.
 */

export interface OutboxLimits {
  messagesMax: number
  bytesMax: number
}

export class Outbox {
  readonly #limits: OutboxLimits
  readonly #waiting: Uint8Array[] = []
  #bytes = 0
  #wake: (() => void) | undefined
  #droppedCount = 0

  constructor(limits: OutboxLimits) {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Messages that gave way. */
  get dropped(): number {
    return this.#droppedCount
  }

  push(message: Uint8Array): void {
    this.#waiting.push(message)
    this.#bytes += message.length
    const { messagesMax, bytesMax } = this.#limits
    while (this.#waiting.length > messagesMax || this.#bytes > bytesMax) {
      this.#shift()
      this.#droppedCount++
    }
    this.#wake?.()
  }

  /** The oldest message, waited for. Undefined once the signal aborts. One reader at a time. */
  async next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    while (this.#waiting.length === 0) {
      if (signal.aborted) return undefined
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      signal.addEventListener('abort', () => resolve(), { once: true })
      await promise
    }
    return signal.aborted ? undefined : this.#shift()
  }

  #shift(): Uint8Array {
    const message = this.#waiting.shift()!
    this.#bytes -= message.length
    return message
  }
}
