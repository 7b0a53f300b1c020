/** What the demo says: lines for people, or one JSON object per event. */
import { formatBytes } from '../../bin/format.ts'

export interface Report {
  /** Something that happened: `facts` for scripts, `text` (one or more lines) for people. */
  event(name: string, facts: Record<string, unknown>, text: string): void
  /** How far something is; on a terminal it overwrites itself. */
  progress(name: string, facts: Record<string, unknown>, text: string): void
  elapsedMs(): number
}

const CLEAR_LINE = '\r\u001b[K'
const NAME_WIDTH = 9
const INDENT: string = ' '.repeat(8 + NAME_WIDTH + 2)

export function createReport(json: boolean): Report {
  const startedAt = performance.now()
  const elapsedMs = (): number => Math.round(performance.now() - startedAt)
  if (json) {
    const print = (event: string, facts: Record<string, unknown>): void => {
      const line = { event, elapsedMs: elapsedMs(), ...facts }
      process.stdout.write(`${JSON.stringify(line, bigintsAsText)}\n`)
    }
    return { event: print, progress: print, elapsedMs }
  }
  const { stdout } = process
  let overwrite = ''
  const line = (name: string, text: string): string => {
    const seconds = (elapsedMs() / 1000).toFixed(1).padStart(5)
    return `${seconds} s  ${name.padEnd(NAME_WIDTH)} ${text.replaceAll('\n', `\n${INDENT}`)}`
  }
  return {
    event: (name, _facts, text) => {
      stdout.write(`${overwrite}${line(name, text)}\n`)
      overwrite = ''
    },
    progress: (name, _facts, text) => {
      if (!stdout.isTTY) {
        stdout.write(`${line(name, text)}\n`)
        return
      }
      stdout.write(`${CLEAR_LINE}${line(name, text)}`)
      overwrite = CLEAR_LINE
    },
    elapsedMs
  }
}

/** "31.9 MiB of 115.3 MiB". */
export function bytesOf(part: number, total: number): string {
  return `${formatBytes(part)} of ${formatBytes(total)}`
}

function bigintsAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
