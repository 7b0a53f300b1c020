/** Printing: results on stdout, everything else on stderr; for people, or as JSON with --json. */
import type { HoldfastError } from '../src/base/errors.ts'
import { encodeJson } from '../src/node/control/wire.ts'

export interface Output {
  readonly json: boolean
  /** The result of a command: one JSON value on one line, or what `render` makes of it. */
  result<T>(value: T, render: (value: T) => string): void
  /** Something worth knowing that is not the result. */
  note(text: string): void
}

/** What printing needs of a stream. */
export interface Sink {
  write(text: string): unknown
}

export interface OutputInit {
  json: boolean
  stdout?: Sink
  stderr?: Sink
}

export function createOutput(init: OutputInit): Output {
  const { json, stdout = process.stdout, stderr = process.stderr } = init
  return {
    json,
    result: (value, render) => {
      stdout.write(`${json ? encodeJson(value) : printable(render(value))}\n`)
    },
    note: text => {
      stderr.write(`${printable(text)}\n`)
    }
  }
}

export interface ErrorStyle {
  json: boolean
  verbose: boolean
  /** What was thrown; its stack is shown with --verbose only. */
  cause?: unknown
  stderr?: Sink
}

/** Message and hint; with --json also the error as one JSON object on a line of its own. */
export function printError(error: HoldfastError, style: ErrorStyle): void {
  const { json, verbose, cause, stderr = process.stderr } = style
  const lines = [`error: ${error.message}`]
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`)
  if (verbose) {
    lines.push(`code: ${error.code}`)
    if (cause instanceof Error && cause.stack !== undefined) lines.push(cause.stack)
  }
  stderr.write(`${printable(lines.join('\n'))}\n`)
  if (json) stderr.write(`${encodeJson({ error })}\n`)
}

/** Names and reasons come from strangers: no control character but the line feed reaches the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, character => (character === '\n' ? character : '?'))
}
