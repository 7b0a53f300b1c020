/**
 * Virtual time: events in order of (time, number), one after the other; before the next one everything that the last
 * one set in motion has come to rest. The trace of all events is hashed, so that two runs can be compared.
 */
import { createHash } from 'node:crypto'

interface Event {
  atMs: number
  number: number
  fire: () => void
}

export type Tracer = (line: string) => void

export class World {
  readonly #heap: Event[] = []
  readonly #hash = createHash('sha256')
  readonly #tracer: Tracer | undefined
  #number = 0
  nowMs = 0
  /** Events that have happened. */
  events = 0

  constructor(tracer?: Tracer) {
    this.#tracer = tracer
  }

  /** Calls `fire` once, so many virtual milliseconds from now; the result takes it back. */
  after(ms: number, fire: () => void): () => void {
    const event = { atMs: this.nowMs + Math.max(0, ms), number: this.#number++, fire }
    push(this.#heap, event)
    return () => {
      event.fire = nothing
    }
  }

  /** Part of the trace. */
  note(text: string): void {
    this.#hash.update(`${this.nowMs} ${text}\n`)
    this.#tracer?.(`${String(this.nowMs).padStart(8)} ${text}`)
  }

  traceHash(): string {
    return this.#hash.copy().digest('hex')
  }

  /** Runs until `isDone`, the virtual time is over, or nothing is left to happen. */
  async run(untilMs: number, isDone: () => boolean): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined; next = this.#heap[0]) {
      if (next.atMs > untilMs || isDone()) return
      pop(this.#heap)
      if (next.fire === nothing) continue
      this.nowMs = next.atMs
      this.events++
      next.fire()
      await rest()
    }
  }
}

function nothing(): void {}

/** Microtasks all run before the loop of the process turns. */
export function rest(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number)
}

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!isBefore(event, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = event
}

function pop(heap: Event[]): void {
  const last = heap.pop()!
  const { length } = heap
  if (length === 0) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= length) break
    if (child + 1 < length && isBefore(heap[child + 1]!, heap[child]!)) child++
    if (!isBefore(heap[child]!, last)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
}
