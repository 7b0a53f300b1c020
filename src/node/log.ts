/** The structured log: one JSON object per line through pino, to stderr or a file. */
import {
  type DestinationStream,
  destination as openDestination,
  type Logger as Pino,
  pino
} from 'pino'
import { toHex } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { Logger } from '../base/ports.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LoggerInit {
  level: LogLevel
  /** A file descriptor, a file path, or anything with `write(line)`. @default 2 (stderr) */
  destination?: number | string | { write(line: string): void }
}

/** Writes are synchronous: a daemon that crashes has said everything it had to say. */
export function createLogger(init: LoggerInit): Logger {
  const target = init.destination ?? 2
  const stream: DestinationStream =
    typeof target === 'object' ? target : openDestination({ dest: target, sync: true })
  return wrap(
    pino(
      { level: init.level, messageKey: 'event', base: null, timestamp: isoTime, formatters },
      stream
    )
  )
}

const formatters = { level: (label: string) => ({ level: label }) }

function isoTime(): string {
  return `,"time":"${new Date().toISOString()}"`
}

function wrap(log: Pino): Logger {
  return {
    debug: (event, facts) => log.debug(printable(facts), event),
    info: (event, facts) => log.info(printable(facts), event),
    warn: (event, facts) => log.warn(printable(facts), event),
    error: (event, facts) => log.error(printable(facts), event),
    child: facts => wrap(log.child(printable(facts)))
  }
}

/** JSON has no bigint, and pino would print bytes as {"0":1,…} and errors as {}. */
function printable(facts: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, plain(value)]))
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return toHex(value)
  if (HoldfastError.is(value)) return { ...value.toJSON(), stack: value.stack }
  if (value instanceof Error) return { message: value.message, stack: value.stack }
  return value
}
