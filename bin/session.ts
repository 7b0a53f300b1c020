/** What every command gets: the global options, the daemon's API, where to print, and when to give up. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { ControlApi } from '../src/node/control/types.ts'
import type { Output } from './output.ts'

export interface Session {
  readonly home: string
  readonly json: boolean
  /** Contacts the daemon only when a method is called. */
  readonly api: ControlApi
  readonly output: Output
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

export type OpenSession = (command: Command) => Session

/** Adds one command, or a group of them, to the program. */
export type AddCommands = (program: Command, open: OpenSession) => void

export interface Globals {
  home: string
  json: boolean
}

/** An empty HOLDFAST_HOME counts as none. */
export function globalsOf(command: Command): Globals {
  const { home, json } = command.optsWithGlobals<{ home?: string; json?: boolean }>()
  const chosen = home === undefined || home === '' ? join(homedir(), '.holdfast') : home
  return { home: resolve(chosen), json: json === true }
}

/** The end of a help text. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map(line => `  $ ${line}`).join('\n')}`
}
