/** Progress of a transfer on stderr: a bar on a terminal, a line every few seconds elsewhere. */
import { formatBytes } from './format.ts'

export interface Progress {
  /** `bytes` so far, of the total. */
  update(bytes: number): void
  /** Clears the bar. */
  end(): void
}

export interface ProgressStream {
  isTTY?: boolean
  columns?: number
  write(text: string): unknown
}

export interface ProgressInit {
  /** What the bytes are: "stored", "read". */
  verb: string
  /** Unknown for a pipe. */
  totalBytes: number | undefined
  stream: ProgressStream
  nowMs: () => number
}

const BAR_CHARACTERS = 30
const BAR_INTERVAL_MS = 100
const LINE_INTERVAL_MS = 5_000
const CLEAR_LINE = '\r\u001b[K'

export const silentProgress: Progress = { update: () => {}, end: () => {} }

export function createProgress(init: ProgressInit): Progress {
  const { stream, nowMs } = init
  const bar = stream.isTTY === true
  const startMs = nowMs()
  let nextMs = bar ? startMs : startMs + LINE_INTERVAL_MS
  let shown = false
  return {
    update: bytes => {
      const now = nowMs()
      if (now < nextMs) return
      nextMs = now + (bar ? BAR_INTERVAL_MS : LINE_INTERVAL_MS)
      const text = describe(init, bytes, now - startMs)
      stream.write(bar ? `${CLEAR_LINE}${drawBar(init, bytes)}${text}` : `${text}\n`)
      shown = true
    },
    end: () => {
      if (bar && shown) stream.write(CLEAR_LINE)
    }
  }
}

function describe({ verb, totalBytes }: ProgressInit, bytes: number, ms: number): string {
  const of = totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`
  const rate = ms < 1 ? '' : `, ${formatBytes(Math.round((bytes * 1000) / ms))}/s`
  return `${formatBytes(bytes)}${of} ${verb}${rate}`
}

function drawBar({ totalBytes, stream }: ProgressInit, bytes: number): string {
  const narrow = (stream.columns ?? 80) < BAR_CHARACTERS * 3
  if (totalBytes === undefined || totalBytes === 0 || narrow) return ''
  const part = Math.min(1, bytes / totalBytes)
  const filled = Math.floor(part * BAR_CHARACTERS)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_CHARACTERS - filled)
  return `${bar} ${String(Math.floor(part * 100)).padStart(3)}%  `
}
