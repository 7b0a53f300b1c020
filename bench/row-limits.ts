/** Limits that a row states beside what was measured: time to start, memory. */
import type { Row } from './types.ts'

export interface RowLimit {
  what: 'growth' | 'wasm memory' | 'start'
  value: number
  limit: number
  unit: 'MiB' | 'ms'
  over: boolean
}

export function limitsIn(row: Row): RowLimit[] {
  const { growthMiB, wasmMiB, limitMiB, milliseconds, limitMilliseconds } = row
  return [
    limitOf('start', 'ms', milliseconds, limitMilliseconds),
    limitOf('wasm memory', 'MiB', wasmMiB, limitMiB),
    limitOf('growth', 'MiB', growthMiB, limitMiB)
  ].filter(limit => limit !== undefined)
}

function limitOf(
  what: RowLimit['what'],
  unit: RowLimit['unit'],
  value: number | undefined,
  limit: number | undefined
): RowLimit | undefined {
  if (value === undefined || limit === undefined) return undefined
  return { what, value, limit, unit, over: value > limit }
}
