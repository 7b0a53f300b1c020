/** Rows as people read them. */
import { limitsIn } from './row-limits.ts'
import type { Row } from './types.ts'

const HEAD = ['row', 'speed', 'spread', 'against peers in the same run']

/** An aligned table, one line per row. */
export function tableOf(rows: readonly Row[]): string {
  const lines = [HEAD, ...rows.map(cellsOf)]
  const widths = HEAD.map((_, column) => Math.max(...lines.map(cells => cells[column]!.length)))
  return lines
    .map(cells =>
      cells
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}

function cellsOf(row: Row): string[] {
  if (row.skipped !== undefined) return [row.name, 'skipped', '', row.skipped]
  const spread = row.rounds > 1 ? `±${percent(row.spread / 2)}` : ''
  return [
    row.name,
    speedOf(row),
    spread,
    [...limitsOf(row), ...ratiosOf(row), ...missingOf(row)].join(', ')
  ]
}

export function speedOf(row: Row): string {
  if (row.milliseconds !== undefined) return `${row.milliseconds} ms`
  if (row.opsPerSecond !== undefined) return `${row.opsPerSecond} op/s`
  if (row.wallMBps === undefined) return `${row.cpuMBps} MB/s of CPU`
  return `${row.wallMBps} MB/s (${row.cpuMBps} of CPU)`
}

/** What a row says about its limits. */
export function limitsOf(row: Row): string[] {
  const { idleMiB, peakMiB } = row
  return limitsIn(row).map(({ what, value, limit, unit, over }) => {
    const facts = what === 'growth' ? ` (${idleMiB} idle, ${peakMiB} peak)` : ''
    const verdict = `${over ? 'OVER' : 'within'} the limit of ${limit} ${unit}`
    return `${what} ${value} ${unit}${facts}: ${verdict}`
  })
}

function ratiosOf({ ratios, ratioSpreads }: Row): string[] {
  return Object.entries(ratios).map(
    ([peer, ratio]) => `${ratio}× ${peer} ±${percent((ratioSpreads[peer] ?? 0) / 2)}`
  )
}

export function missingOf({ missing = {} }: Row): string[] {
  return Object.entries(missing).map(([peer, reason]) => `no ${peer}: ${reason}`)
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`
}
