/**
 * The committed baseline: ratios of guarded rows, and nothing that depends on how fast a machine is. A ratio that
 * fell by more than 15 % is a loss; one that rose is not, the baseline is then written anew on purpose.
 */

import { limitsIn } from './row-limits.ts'
import { areaOf } from './row-name.ts'
import type { Row } from './types.ts'

/** A ratio below this part of its baseline fails. */
export const KEPT_PART_MIN = 0.85

/** Row name → peer → ratio. */
export type Baseline = Record<string, Record<string, number>>

export interface CheckReport {
  /** One line per ratio that fell, per row that is gone, and per limit that was passed. */
  problems: string[]
  /** What could not be checked on this machine. */
  notes: string[]
  /** Areas with a ratio that fell or a row that is gone: worth a second measurement. */
  areas: string[]
  /** Ratios that were compared. */
  compared: number
}

export function baselineOf(rows: readonly Row[]): Baseline {
  const guarded = rows.filter(row => row.guard && row.skipped === undefined)
  return Object.fromEntries(guarded.map(({ name, ratios }) => [name, ratios]))
}

/** New rows over the old baseline: areas that did not run keep theirs. */
export function mergedBaseline(
  old: Baseline,
  rows: readonly Row[],
  areasRun: readonly string[]
): Baseline {
  const kept = Object.entries(old).filter(([name]) => !areasRun.includes(areaOf(name)))
  const all = [...kept, ...Object.entries(baselineOf(rows))]
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** @param areasRun only rows of these areas are looked for */
export function checkRows(
  rows: readonly Row[],
  baseline: Baseline,
  areasRun: readonly string[]
): CheckReport {
  const report: CheckReport = { problems: [], notes: [], areas: [], compared: 0 }
  const problem = (name: string, text: string): void => {
    report.problems.push(`${name}: ${text}`)
    if (!report.areas.includes(areaOf(name))) report.areas.push(areaOf(name))
  }
  for (const [name, ratios] of Object.entries(baseline)) {
    if (!areasRun.includes(areaOf(name))) continue
    const row = rows.find(candidate => candidate.name === name)
    if (row === undefined) {
      problem(name, 'no such row any more; run with --write-baseline if that is right')
    } else if (row.skipped !== undefined) {
      report.notes.push(`${name}: not checked, ${row.skipped}`)
    } else {
      for (const [peer, before] of Object.entries(ratios)) {
        report.compared++
        const now = row.ratios[peer]
        const absent = row.missing?.[peer.replace(/\/(cpu|wall)$/, '')]
        if (absent !== undefined) report.notes.push(`${name}: ${peer} not checked, ${absent}`)
        else if (now === undefined) problem(name, `no ratio to ${peer} any more`)
        else if (!(now >= before * KEPT_PART_MIN)) problem(name, fell(peer, before, now))
      }
    }
  }
  for (const row of rows) {
    for (const { what, value, limit, unit } of limitsIn(row).filter(({ over }) => over)) {
      const text = `${what} ${value} ${unit}, ${limit} allowed`
      // Time may be a busy machine's; memory that was needed once is needed.
      if (unit === 'ms') problem(row.name, text)
      else report.problems.push(`${row.name}: ${text}`)
    }
  }
  return report
}

function fell(peer: string, before: number, now: number): string {
  return `ratio to ${peer} fell from ${before} to ${now} (${Math.round((now / before - 1) * 100)} %)`
}

/** The better of two measurements, ratio by ratio: a loss has to show in both. */
export function bestOf(first: readonly Row[], second: readonly Row[]): Row[] {
  return first.map(row => {
    const again = second.find(({ name }) => name === row.name)
    if (again === undefined || again.skipped !== undefined) return row
    const ratios = { ...row.ratios }
    for (const [peer, ratio] of Object.entries(again.ratios)) {
      ratios[peer] = Math.max(ratio, ratios[peer] ?? Number.NEGATIVE_INFINITY)
    }
    const milliseconds = lowest(row.milliseconds, again.milliseconds)
    return { ...row, ...(milliseconds === undefined ? {} : { milliseconds }), ratios }
  })
}

function lowest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? a : Math.min(a, b)
}
