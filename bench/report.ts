/** Rows as people read them. */
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
  return [row.name, speedOf(row), spread, [...memoryOf(row), ...ratiosOf(row)].join(', ')]
}

export function speedOf(row: Row): string {
  if (row.opsPerSecond !== undefined) return `${row.opsPerSecond} op/s`
  if (row.wallMBps === undefined) return `${row.cpuMBps} MB/s of CPU`
  return `${row.wallMBps} MB/s (${row.cpuMBps} of CPU)`
}

export function memoryOf({ growthMiB, idleMiB, peakMiB, limitMiB }: Row): string[] {
  if (growthMiB === undefined || limitMiB === undefined) return []
  const verdict = growthMiB <= limitMiB ? 'within' : 'OVER'
  return [
    `grew ${growthMiB} MiB (${idleMiB} idle, ${peakMiB} peak): ${verdict} the limit of ${limitMiB} MiB`
  ]
}

function ratiosOf({ ratios, ratioSpreads }: Row): string[] {
  return Object.entries(ratios).map(
    ([peer, ratio]) => `${ratio}× ${peer} ±${percent((ratioSpreads[peer] ?? 0) / 2)}`
  )
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`
}
