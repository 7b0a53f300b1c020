/** The result as one HTML page with SVG bars: speeds, and ratios on a logarithmic scale. No script, no outside file. */
import { limitsOf, missingOf, speedOf } from './report.ts'
import { areaOf } from './row-name.ts'
import type { Row } from './types.ts'

export interface ChartFacts {
  /** ISO 8601. */
  at: string
  node: string
  cpu: string
  cores: number
}

const WIDTH = 1000
const LABEL_WIDTH = 440
const BAR_HEIGHT = 16
const LINE_HEIGHT = 22
/** Ratios from a hundredth to a hundred; 1 is in the middle. */
const DECADES = 2

const STYLE = `body{font:14px system-ui,sans-serif;max-width:1040px;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
svg{width:100%;height:auto}text{font:12px ui-monospace,monospace;fill:#222}h2{margin:2rem 0 .3rem}p{color:#555}
.up{fill:#3a7d44}.down{fill:#b5651d}.axis{stroke:#999;stroke-width:1}`

export function chartPage(rows: readonly Row[], facts: ChartFacts): string {
  const areas = [...new Set(rows.map(({ name }) => areaOf(name)))]
  const sections = areas.map(area =>
    section(
      area,
      rows.filter(row => areaOf(row.name) === area)
    )
  )
  const machine = `${facts.cpu}, ${facts.cores} cores, Node ${facts.node}, ${facts.at}`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Holdfast bench</title><style>${STYLE}</style></head>
<body><h1>Holdfast bench</h1><p>${escaped(machine)}</p>
<p>Bars show our speed divided by the peer's, both measured in the same run: the middle line is 1, right of it we are
faster, each end is a factor of 100.</p>
${sections.join('\n')}
</body></html>
`
}

function section(area: string, rows: readonly Row[]): string {
  const lines = rows.flatMap(linesOf)
  const height = lines.length * LINE_HEIGHT
  const middle = xOf(1)
  const drawn = lines.map((line, i) => drawLine(line, i * LINE_HEIGHT)).join('')
  const axis = `<line class="axis" x1="${middle}" x2="${middle}" y1="0" y2="${height}"/>`
  return `<h2>${escaped(area)}</h2><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(area)}">${axis}${drawn}</svg>`
}

interface Line {
  text: string
  ratio?: number
}

function linesOf(row: Row): Line[] {
  if (row.skipped !== undefined) return [{ text: `${row.name}: skipped, ${row.skipped}` }]
  const facts = [...limitsOf(row), ...missingOf(row)].map(text => ({ text: `  ${text}` }))
  const ratios = Object.entries(row.ratios).map(([peer, ratio]) => ({ text: `  ${peer}`, ratio }))
  return [{ text: `${row.name}: ${speedOf(row)}` }, ...facts, ...ratios]
}

function drawLine({ text, ratio }: Line, y: number): string {
  const label = `<text x="0" y="${y + BAR_HEIGHT - 3}" xml:space="preserve">${escaped(text)}</text>`
  if (ratio === undefined) return label
  const [from, to] = [xOf(1), xOf(ratio)].sort((a, b) => a - b) as [number, number]
  const bar = `<rect class="${ratio >= 1 ? 'up' : 'down'}" x="${from}" y="${y + 2}" width="${Math.max(1, to - from)}" height="${BAR_HEIGHT - 4}"/>`
  return `${label}${bar}<text x="${to + 6}" y="${y + BAR_HEIGHT - 3}">${ratio}×</text>`
}

function xOf(ratio: number): number {
  const decades = Math.min(DECADES, Math.max(-DECADES, Math.log10(ratio)))
  const room = WIDTH - LABEL_WIDTH - 60
  return Math.round(LABEL_WIDTH + (room * (decades + DECADES)) / (2 * DECADES))
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
