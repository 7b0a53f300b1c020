/**
 * node bench/performance-doc.ts: writes docs/PERFORMANCE.md from bench/results/, the newest result of every area. The
 * words stand in performance-text.ts; every figure comes from a run.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { SECTIONS } from './performance-text.ts'
import { speedOf } from './report.ts'
import type { Row } from './types.ts'

const RESULTS = fileURLToPath(new URL('results/', import.meta.url))
const DOC = fileURLToPath(new URL('../docs/PERFORMANCE.md', import.meta.url))

interface Result {
  at: string
  node: string
  cpu: string
  cores: number
  rows: Row[]
}

/** The newest row of every name. */
async function newestRows(): Promise<{ rows: Map<string, Row>; machine: Result }> {
  const results: Result[] = []
  for (const name of await readdir(RESULTS)) {
    if (!name.endsWith('.json')) continue
    results.push(JSON.parse(await readFile(`${RESULTS}${name}`, 'utf8')) as Result)
  }
  results.sort((a, b) => (a.at < b.at ? -1 : 1))
  const machine = results.at(-1)
  if (machine === undefined) throw new Error('no results: run `npm run bench` first')
  const rows = new Map(results.flatMap(result => result.rows.map(row => [row.name, row])))
  return { rows, machine }
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(row => {
    const spread = row.rounds > 1 ? `±${Math.round(row.spread * 50)} %` : ''
    const speed = row.skipped === undefined ? speedOf(row) : 'skipped'
    return `| \`${row.name}\` | ${speed} | ${spread} | ${row.skipped ?? ratios(row)} |`
  })
  return [
    '| row | speed | spread | times the peer, in the same run |',
    '|---|---|---|---|',
    ...lines
  ].join('\n')
}

function ratios({ ratios: all, ratioSpreads }: Row): string {
  return Object.entries(all)
    .filter(([peer]) => !peer.endsWith('/cpu'))
    .map(([peer, ratio]) => {
      const spread = ratioSpreads?.[peer]
      const around = spread === undefined ? '' : ` ±${Math.round(spread * 50)} %`
      return `${peer} **${Number(ratio.toPrecision(3))}**${around}`
    })
    .join(', ')
}

const { rows, machine } = await newestRows()
const parts = [
  '# Performance',
  '',
  `Written by \`node bench/performance-doc.ts\` from the newest results of \`npm run bench\`: Node ${machine.node},`,
  `${machine.cores} cores of an ${machine.cpu}, shared with other work. Speeds are medians; the spread is half the`,
  'distance between the fastest and the slowest round. Read the ratios, not the speeds: both sides of a ratio ran in the',
  'same minute. MB are 10⁶ bytes of user data, CPU time of one core unless a row says otherwise.',
  '',
  '`npm run bench -- --only AREA` repeats one table, `--check` compares with the ratios in `bench/baseline.json`,',
  '`--fit` tells a provider what this machine can do.'
]
for (const { title, area, text } of SECTIONS) {
  const own = [...rows.values()].filter(({ name }) => name.startsWith(`${area}/`))
  parts.push('', `## ${title}`, '', text.trim())
  parts.push('', own.length === 0 ? '_Not measured in the newest results._' : table(own))
}
await writeFile(DOC, `${parts.join('\n')}\n`)
