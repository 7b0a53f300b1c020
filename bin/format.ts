/** Numbers and tables as people read them. */
import { formatTokens, type Units } from '../src/base/money.ts'

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const
const STEP = 1024

/** "0 B", "1023 B", "1.0 KiB", "31.9 MiB": binary units, one decimal above bytes. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  // 1023.95 would print as 1024.0: it belongs to the next unit
  while (value >= (unit === 0 ? STEP : STEP - 0.05) && unit < BYTE_UNITS.length - 1) {
    value /= STEP
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${BYTE_UNITS[unit]}`
}

/** "1.5 tokens". */
export function formatMoney(units: Units): string {
  return `${formatTokens(units)} ${units === 1_000_000_000n ? 'token' : 'tokens'}`
}

/** "3d 4h", "4h 5m", "5m 6s", "6s". */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's']
  ]
  const first = parts.findIndex(([value]) => value > 0)
  if (first < 0) return '0s'
  return parts
    .slice(first, first + 2)
    .map(([value, unit]) => `${value}${unit}`)
    .join(' ')
}

export type Column<Row> = readonly [title: string, cell: (row: Row) => string | number]

/** Left-aligned text, right-aligned numbers; `empty` instead of a table without rows. */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  empty: string
): string {
  if (rows.length === 0) return empty
  const cells = rows.map(row => columns.map(([, cell]) => cell(row)))
  const titles = columns.map(([title]) => title)
  const widths = titles.map((title, i) =>
    Math.max(title.length, ...cells.map(row => String(row[i]).length))
  )
  const line = (row: readonly (string | number)[], alike: readonly (string | number)[]): string =>
    row
      .map((cell, i) =>
        typeof alike[i] === 'number'
          ? String(cell).padStart(widths[i]!)
          : String(cell).padEnd(widths[i]!)
      )
      .join('  ')
      .trimEnd()
  return [line(titles, cells[0]!), ...cells.map(row => line(row, row))].join('\n')
}

/** "name:  value" lines with the values in one column. */
export function formatFacts(facts: readonly (readonly [string, string | number])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length)) + 1
  return facts.map(([name, value]) => `${`${name}:`.padEnd(width)}  ${value}`).join('\n')
}
