/** Waiting that always ends: by the event, a timeout or a signal. */
import { setMaxListeners } from 'node:events'
import { HoldfastError, toHoldfastError } from '../../base/errors.ts'
import { INACTIVITY_TIMEOUT_MS } from './limits.ts'
import type { WaitOptions } from './types.ts'

/** How long one wait may still take; progress renews it. */
export class Patience {
  readonly what: string
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  #since = performance.now()

  constructor(what: string, options: WaitOptions = {}) {
    this.what = what
    this.timeoutMs = options.timeoutMs ?? INACTIVITY_TIMEOUT_MS
    this.signal = options.signal
  }

  renew(): void {
    this.#since = performance.now()
  }

  leftMs(): number {
    return Math.max(0, this.timeoutMs - (performance.now() - this.#since))
  }
}

/** Wakes everybody who waits. */
export class Wakeup {
  #waiting = new Set<() => void>()

  notify(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  /** Resolves at the next `notify`. @throws HoldfastError TIMEOUT, ABORTED */
  wait(patience: Patience): Promise<void> {
    const { signal, what, timeoutMs } = patience
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(abortErrorOf(signal))
        return
      }
      const finish = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        this.#waiting.delete(wake)
      }
      const wake = (): void => {
        finish()
        resolve()
      }
      const onAbort = (): void => {
        finish()
        reject(abortErrorOf(signal!))
      }
      const onTimeout = (): void => {
        finish()
        reject(timeoutError(what, timeoutMs))
      }
      const timer =
        timeoutMs === Infinity ? undefined : setTimeout(onTimeout, patience.leftMs()).unref()
      if (signal !== undefined) {
        // one signal usually cancels many channels at once
        setMaxListeners(0, signal)
        signal.addEventListener('abort', onAbort, { once: true })
      }
      this.#waiting.add(wake)
    })
  }
}

/** `promise`, or the error of whichever ends first: the signal. The promise is left to settle unheard. */
export function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortErrorOf(signal))
    if (signal.aborted) onAbort()
    setMaxListeners(0, signal)
    signal.addEventListener('abort', onAbort, { once: true })
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** A signal that ends after timeoutMs, or with the caller's. */
export function deadline(options: WaitOptions, timeoutMsDefault: number): AbortSignal {
  const timeoutMs = options.timeoutMs ?? timeoutMsDefault
  const signals = options.signal === undefined ? [] : [options.signal]
  if (timeoutMs !== Infinity) signals.push(AbortSignal.timeout(timeoutMs))
  for (const signal of signals) setMaxListeners(0, signal)
  const joined = AbortSignal.any(signals)
  setMaxListeners(0, joined)
  return joined
}

/** Why a signal was aborted, as a HoldfastError: its own, TIMEOUT or ABORTED. */
export function abortErrorOf(signal: AbortSignal): HoldfastError {
  const error = toHoldfastError(signal.reason)
  return error.code === 'INTERNAL' ? abortedBy(signal.reason) : error
}

/** Any error as the HoldfastError that an aborted operation rejects with. */
export function abortedBy(cause: unknown): HoldfastError {
  return HoldfastError.is(cause) ? cause : new HoldfastError('ABORTED', 'cancelled', { cause })
}

export function timeoutError(what: string, timeoutMs: number): HoldfastError {
  return new HoldfastError('TIMEOUT', `${what}: nothing for ${timeoutMs} ms`, { retryable: true })
}

/** Values from callbacks, iterated once; the producer bounds and ends it. */
export class Queue<T> implements AsyncIterable<T> {
  readonly #values: T[] = []
  #ended = false
  #wake: () => void = () => {}

  push(value: T): void {
    this.#values.push(value)
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      while (this.#values.length > 0) yield this.#values.shift()!
      if (this.#ended) return
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}
