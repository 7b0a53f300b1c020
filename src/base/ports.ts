/** What pure code may ask of the outside. Implementations live in src/node (real) and test/ (simulated). */

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number
}

export interface Random {
  bytes(length: number): Uint8Array
}

/** Structured log: an event name and its facts. */
export interface Logger {
  debug(event: string, facts?: Record<string, unknown>): void
  info(event: string, facts?: Record<string, unknown>): void
  warn(event: string, facts?: Record<string, unknown>): void
  error(event: string, facts?: Record<string, unknown>): void
  child(facts: Record<string, unknown>): Logger
}

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger
}

/** Anything with an ordered start and stop. */
export interface Startable {
  start(): Promise<void>
  stop(): Promise<void>
}
