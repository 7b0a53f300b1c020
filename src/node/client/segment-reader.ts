/** Reads stripes of one segment in order: windows are fetched a little ahead, decoded and decrypted one by one. */
import { RANGE_BYTES_MAX } from '../../base/limits.ts'
import { createSegmentDecoder, type ErasureCode, type SegmentLayout } from '../../storage/index.ts'
import type { PieceSource } from './piece-source.ts'
import { fetchWindow, type Window, type WindowShares } from './window-fetch.ts'

/** Shares of one window over all pieces asked: bounds memory for large k. */
const WINDOW_BYTES_MAX: number = 8 * 1024 * 1024
/** Windows being fetched while an earlier one is decoded. */
const WINDOWS_AHEAD = 2
/** Those, and the one being decoded. A slow source may answer out of turn, so memory goes by window, not by answer. */
const MEMORY_SLOTS: number = WINDOWS_AHEAD + 1
const HEDGE_MS_MIN = 750
/** A window slower than this many times the usual one brings in another piece. */
const HEDGE_FACTOR = 4

export interface SegmentReaderInit {
  layout: SegmentLayout
  code: ErasureCode
  /** 32-byte segment key. */
  key: Uint8Array
  /** By piece index. */
  sources: readonly PieceSource[]
  signal: AbortSignal
}

/**
 * Plaintext of the stripes first..last (inclusive), one at a time.
 * @throws HoldfastError UNRECOVERABLE | DECRYPT_FAILED | ABORTED
 */
export async function* readStripes(
  init: SegmentReaderInit,
  first: number,
  last: number
): AsyncGenerator<Uint8Array> {
  const decoder = createSegmentDecoder(init)
  const windows = windowsOf(init.layout, first, last)
  const ahead: { window: Window; shares: Promise<WindowShares> }[] = []
  let usualMs = HEDGE_MS_MIN
  const startNext = (): void => {
    const next = windows.next()
    if (next.done === true) return
    const startedAt = performance.now()
    const hedgeMs = Math.max(HEDGE_MS_MIN, HEDGE_FACTOR * usualMs)
    const shares = fetchWindow(next.value, { ...init, hedgeMs }).then(result => {
      usualMs = (usualMs + performance.now() - startedAt) / 2
      return result
    })
    // Awaited below in order; a reader that stops early must not leave a rejection unhandled.
    shares.catch(() => {})
    ahead.push({ window: next.value, shares })
  }
  for (let i = 0; i < WINDOWS_AHEAD; i++) startNext()
  while (ahead.length > 0) {
    const { window, shares } = ahead.shift()!
    const rows = await shares
    startNext()
    for (const [i, row] of rows.entries()) yield decoder.decodeStripe(window.first + i, row)
  }
}

function* windowsOf(layout: SegmentLayout, first: number, last: number): Generator<Window> {
  const { k, shareBytes } = layout
  const stripes = Math.min(RANGE_BYTES_MAX, Math.floor(WINDOW_BYTES_MAX / k)) / shareBytes
  const step = Math.max(1, Math.floor(stripes))
  for (let at = first, count = 0; at <= last; at += step, count++) {
    yield { first: at, last: Math.min(last, at + step - 1), slot: count % MEMORY_SLOTS }
  }
}
