/**
 * Collects the shares of a run of stripes: asks a few more pieces than needed, takes the fastest k good shares of every
 * stripe, and brings in further pieces when one fails, is damaged or lags. Damage is counted per share, so two corrupt
 * providers still serve all the stripes in which they are right.
 */
import { HoldfastError } from '../../base/errors.ts'
import { GROUP_BYTES } from '../../base/limits.ts'
import { type SegmentLayout, shareAt } from '../../storage/index.ts'
import type { GroupRun, PieceSource } from './piece-source.ts'
import type { SharedMemory } from './shared-memory.ts'

export interface Window {
  /** First stripe. */
  first: number
  /** Last stripe, inclusive. */
  last: number
}

export interface WindowInit {
  layout: SegmentLayout
  /** By piece index. */
  sources: readonly PieceSource[]
  /** That of the sources. */
  memory: SharedMemory
  /** How often a peer has failed or lagged in this read: those are asked last. */
  doubts: (peerId: string) => number
  /** Wait for the pieces asked before another one is brought in. */
  hedgeMs: number
  signal: AbortSignal
}

export interface WindowShares {
  /** rows[stripe - first][index]: k good shares of every stripe, data shares before parity. */
  rows: (Uint8Array | undefined)[][]
  /** Gives their memory back. */
  release: () => void
}

/** Pieces asked beyond k from the start. */
const MARGIN = 1

/** @throws HoldfastError UNRECOVERABLE when some stripe has fewer than k good shares anywhere; ABORTED */
export async function fetchWindow(window: Window, init: WindowInit): Promise<WindowShares> {
  return await new WindowFetch(window, init).run()
}

class WindowFetch {
  readonly #window: Window
  readonly #init: WindowInit
  readonly #rows: (Uint8Array | undefined)[][]
  readonly #received: Uint8Array[] = []
  readonly #untried: { source: PieceSource; index: number }[]
  #active = 0
  #margin = MARGIN
  #released = false
  #wake: () => void = () => {}

  constructor(window: Window, init: WindowInit) {
    this.#window = window
    this.#init = init
    const { n } = init.layout
    this.#rows = Array.from({ length: window.last - window.first + 1 }, () =>
      new Array<undefined>(n).fill(undefined)
    )
    this.#untried = init.sources
      .map((source, index) => ({ source, index }))
      .filter(({ source }) => !source.spent)
      .sort((a, b) => this.#rank(a.source) - this.#rank(b.source) || a.index - b.index)
  }

  async run(): Promise<WindowShares> {
    const { layout, signal } = this.#init
    for (;;) {
      signal.throwIfAborted()
      const have = this.#fewestShares()
      if (have >= layout.k) {
        return { rows: this.#rows.map(row => kOf(row, layout.k)), release: () => this.#release() }
      }
      while (this.#untried.length > 0 && have + this.#active < layout.k + this.#margin) this.#ask()
      if (this.#active === 0) throw this.#unrecoverable(have)
      await this.#progress()
    }
  }

  /** Requests that wait behind others come late, too. */
  #rank({ pending, peerId }: PieceSource): number {
    return pending + this.#init.doubts(peerId)
  }

  #ask(): void {
    const { source, index } = this.#untried.shift()!
    const { layout } = this.#init
    const first = shareAt(layout, this.#window.first)
    const last = shareAt(layout, this.#window.last)
    const firstGroup = first.offset / GROUP_BYTES
    const groups = Math.ceil((last.offset + last.bytes) / GROUP_BYTES) - firstGroup
    this.#active++
    void source.read(firstGroup, groups).then(run => {
      this.#active--
      this.#receive(index, run, firstGroup)
      this.#wake()
    })
  }

  #receive(index: number, run: GroupRun, firstGroup: number): void {
    if (this.#released) {
      this.#init.memory.give(run.bytes)
      return
    }
    this.#received.push(run.bytes)
    this.#place(index, run, firstGroup)
  }

  #release(): void {
    this.#released = true
    for (const bytes of this.#received.splice(0)) this.#init.memory.give(bytes)
  }

  /** A share is good only when every one of its groups is. */
  #place(index: number, { bytes, good }: GroupRun, firstGroup: number): void {
    const { layout } = this.#init
    for (let stripe = this.#window.first; stripe <= this.#window.last; stripe++) {
      const share = shareAt(layout, stripe)
      const first = share.offset / GROUP_BYTES - firstGroup
      const groups = good.slice(first, first + Math.ceil(share.bytes / GROUP_BYTES))
      if (groups.every(isGood => isGood)) {
        const from = first * GROUP_BYTES
        const row = this.#rows[stripe - this.#window.first]!
        row[index] = bytes.subarray(from, from + share.bytes)
      }
    }
  }

  #fewestShares(): number {
    return Math.min(...this.#rows.map(row => row.filter(share => share !== undefined).length))
  }

  /** Ends when a source answered or, after `hedgeMs`, with room for one source more. */
  async #progress(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = setTimeout(() => {
      this.#margin++
      resolve()
    }, this.#init.hedgeMs)
    this.#init.signal.addEventListener('abort', () => resolve(), { once: true })
    await promise
    clearTimeout(timer)
  }

  #unrecoverable(have: number): HoldfastError {
    const { k, n } = this.#init.layout
    return new HoldfastError(
      'UNRECOVERABLE',
      `only ${have} of the ${k} shares needed could be fetched from ${n} providers`,
      {
        details: { needed: k, found: have },
        hint: 'try again when more of the providers are online; `holdfast stat` shows where the pieces are',
        retryable: true
      }
    )
  }
}

/** The first k shares of a stripe. Data shares come first: what is there need not be reconstructed. */
function kOf(row: readonly (Uint8Array | undefined)[], k: number): (Uint8Array | undefined)[] {
  let taken = 0
  return row.map(share => (share !== undefined && taken++ < k ? share : undefined))
}
