/**
 * Reads parts of segments in order, as one run of windows: while one is being written, the next is decoded and those
 * after it are fetched, across the border to the next segment too. A window asks each piece for at most 1 MiB; all
 * windows under way together are less than two segments.
 */
import { assert } from '../../base/assert.ts'
import { KIB, MIB, RANGE_BYTES_MAX, SEGMENT_BYTES_DEFAULT } from '../../base/limits.ts'
import { plainAt, type SegmentLayout, stripeRange } from '../../storage/index.ts'
import { startAhead } from './ahead.ts'
import { decodeStripes } from './decode-job.ts'
import type { PieceSource } from './piece-source.ts'
import type { SegmentWorkers } from './segment-tasks.ts'
import type { SharedMemory } from './shared-memory.ts'
import { fetchWindow, type Window } from './window-fetch.ts'

/** Shares of one window over all pieces needed: bounds memory for large k. */
const WINDOW_BYTES_MAX: number = 8 * MIB
/** Windows being fetched or decoded while an earlier one is written. */
const WINDOWS_AHEAD = 3
/** Below this, decoding in place is faster than the way to a worker and back. */
const IN_PLACE_BYTES_MAX: number = 256 * KIB
const HEDGE_MS_MIN = 750
/** A window slower than this many times the usual one brings in another piece. */
const HEDGE_FACTOR = 4

assert((WINDOWS_AHEAD + 1) * WINDOW_BYTES_MAX <= 2 * SEGMENT_BYTES_DEFAULT, 'two segments at most')

/** The bytes first..last (positions in the segment, inclusive) of one segment. */
export interface SegmentPart {
  layout: SegmentLayout
  /** 32-byte segment key. */
  key: Uint8Array
  first: number
  last: number
  /** By piece index; called once, when the part is about to be fetched. */
  openSources: () => PieceSource[]
}

export interface ReadInit {
  workers: SegmentWorkers
  /** That of the sources. */
  memory: SharedMemory
  doubts: (peerId: string) => number
  signal: AbortSignal
}

/**
 * Plaintext of the parts in order, in chunks of a stripe or less, each in memory of its own.
 * @throws HoldfastError UNRECOVERABLE | DECRYPT_FAILED | ABORTED
 */
export async function* readParts(
  parts: Iterable<SegmentPart>,
  init: ReadInit
): AsyncGenerator<Uint8Array> {
  const reader = new PartsReader(init)
  try {
    const windows = startAhead(reader.windows(parts), WINDOWS_AHEAD, window => reader.read(window))
    for await (const chunks of windows) yield* chunks
  } finally {
    reader.close()
  }
}

interface OpenPart extends SegmentPart {
  sources: PieceSource[]
  /** Not fetched yet. */
  windowsLeft: number
}

interface PartWindow extends Window {
  part: OpenPart
}

class PartsReader {
  readonly #init: ReadInit
  readonly #open = new Set<OpenPart>()
  #usualMs = HEDGE_MS_MIN

  constructor(init: ReadInit) {
    this.#init = init
  }

  *windows(parts: Iterable<SegmentPart>): Generator<PartWindow> {
    for (const closed of parts) {
      const { layout } = closed
      const stripes = stripeRange(layout, closed.first, closed.last)
      const step = stripesPerWindow(layout)
      const windowsLeft = Math.ceil((stripes.last - stripes.first + 1) / step)
      const part = { ...closed, sources: closed.openSources(), windowsLeft }
      this.#open.add(part)
      for (let first = stripes.first; first <= stripes.last; first += step) {
        yield { part, first, last: Math.min(stripes.last, first + step - 1) }
      }
    }
  }

  /** The chunks of a window. */
  async read({ part, first, last }: PartWindow): Promise<Uint8Array[]> {
    const { layout, key } = part
    const { rows, release } = await this.#fetch(part, { first, last })
    const job = { layout, key, first, rows }
    const inPlace = rows.length * layout.stripePlainBytes <= IN_PLACE_BYTES_MAX
    const decoding = inPlace ? decodeStripes(job) : this.#init.workers.run('decode', job)
    const stripes = await decoding
    release()
    return stripes.map((plain, i) => {
      const { offset } = plainAt(layout, first + i)
      return plain.subarray(Math.max(0, part.first - offset), part.last - offset + 1)
    })
  }

  close(): void {
    for (const part of this.#open) this.#closePart(part)
  }

  /** Sources are closed with the last window, so that a stalled one holds nothing up. */
  async #fetch(part: OpenPart, window: Window): ReturnType<typeof fetchWindow> {
    const startedMs = performance.now()
    const hedgeMs = Math.max(HEDGE_MS_MIN, HEDGE_FACTOR * this.#usualMs)
    const { layout, sources } = part
    const shares = await fetchWindow(window, { ...this.#init, layout, sources, hedgeMs })
    this.#usualMs = (this.#usualMs + performance.now() - startedMs) / 2
    part.windowsLeft--
    if (part.windowsLeft === 0) this.#closePart(part)
    return shares
  }

  #closePart(part: OpenPart): void {
    for (const source of part.sources) source.close()
    this.#open.delete(part)
  }
}

/** As many as fit one range answer of each piece, and the window. */
function stripesPerWindow({ k, shareBytes }: SegmentLayout): number {
  const pieceBytesMax = Math.min(RANGE_BYTES_MAX, WINDOW_BYTES_MAX / k)
  return Math.max(1, Math.floor(pieceBytesMax / shareBytes))
}
