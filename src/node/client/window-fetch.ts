/**
 * Collects the shares of a run of stripes: asks a few more pieces than needed, takes the fastest k good shares of every
 * stripe, and brings in further pieces when one fails, is damaged or lags. Damage is counted per share, so two corrupt
 * providers still serve all the stripes in which they are right.
 */
import { HoldfastError } from '../../base/errors.ts'
import { GROUP_BYTES } from '../../base/limits.ts'
import { type SegmentLayout, shareAt } from '../../storage/index.ts'
import type { GroupRun, PieceSource } from './piece-source.ts'

export interface Window {
  /** First stripe. */
  first: number
  /** Last stripe, inclusive. */
  last: number
  /** Which memory of the sources its bytes take. */
  slot: number
}

export interface WindowInit {
  layout: SegmentLayout
  /** By piece index. */
  sources: readonly PieceSource[]
  /** Wait for the pieces asked before another one is brought in. */
  hedgeMs: number
  signal: AbortSignal
}

/** shares[stripe - first][index] */
export type WindowShares = (Uint8Array | undefined)[][]

/** Pieces asked beyond k from the start. */
const MARGIN = 1

/** @throws HoldfastError UNRECOVERABLE when some stripe has fewer than k good shares anywhere; ABORTED */
export async function fetchWindow(window: Window, init: WindowInit): Promise<WindowShares> {
  return await new WindowFetch(window, init).run()
}

class WindowFetch {
  readonly #window: Window
  readonly #init: WindowInit
  readonly #shares: WindowShares
  readonly #untried: { source: PieceSource; index: number }[]
  #active = 0
  #margin = MARGIN
  #wake: () => void = () => {}

  constructor(window: Window, init: WindowInit) {
    this.#window = window
    this.#init = init
    const { n } = init.layout
    this.#shares = Array.from({ length: window.last - window.first + 1 }, () =>
      new Array<undefined>(n).fill(undefined)
    )
    this.#untried = init.sources
      .map((source, index) => ({ source, index }))
      .filter(({ source }) => !source.spent)
      .sort((a, b) => a.source.pending - b.source.pending || a.index - b.index)
  }

  async run(): Promise<WindowShares> {
    const { layout, signal } = this.#init
    for (;;) {
      signal.throwIfAborted()
      const have = this.#fewestShares()
      if (have >= layout.k) return this.#shares
      while (this.#untried.length > 0 && have + this.#active < layout.k + this.#margin) this.#ask()
      if (this.#active === 0) throw this.#unrecoverable(have)
      await this.#progress()
    }
  }

  #ask(): void {
    const { source, index } = this.#untried.shift()!
    const { layout } = this.#init
    const first = shareAt(layout, this.#window.first)
    const last = shareAt(layout, this.#window.last)
    const firstGroup = first.offset / GROUP_BYTES
    const groups = Math.ceil((last.offset + last.bytes) / GROUP_BYTES) - firstGroup
    this.#active++
    void source.read(firstGroup, groups, this.#window.slot).then(run => {
      this.#active--
      this.#place(index, run, firstGroup)
      this.#wake()
    })
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
        const row = this.#shares[stripe - this.#window.first]!
        row[index] = bytes.subarray(from, from + share.bytes)
      }
    }
  }

  #fewestShares(): number {
    return Math.min(...this.#shares.map(row => row.filter(share => share !== undefined).length))
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
