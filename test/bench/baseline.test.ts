import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  type Baseline,
  baselineOf,
  bestOf,
  checkRows,
  KEPT_PART_MIN,
  mergedBaseline
} from '../../bench/baseline.ts'
import { skippedRow } from '../../bench/harness.ts'
import { checkRowName } from '../../bench/row-name.ts'
import type { Row } from '../../bench/types.ts'
import { suiteNumbers } from './random.ts'

function row(name: string, ratios: Record<string, number>, guard = true): Row {
  const measured = { basis: 'cpu', cpuMBps: 1, spread: 0, ratioSpreads: {}, rounds: 5 } as const
  return { name, ...measured, ratios, guard }
}

describe('bench/baseline', () => {
  const numbers = suiteNumbers()
  const baseline: Baseline = { 'hash/a': { x: 10, y: 2 }, 'aead/b': { x: 1 } }
  const good = [row('hash/a', { x: 10, y: 2 }), row('aead/b', { x: 1 })]

  it('keeps ratios of guarded rows only', () => {
    const rows = [...good, row('store/put', { x: 3 }, false), skippedRow('hash/c', 'no')]
    assert.deepEqual(baselineOf(rows), baseline)
  })

  it('finds exactly the ratios that fell by more than 15 %', () => {
    for (let i = 0; i < 200; i++) {
      const factor = 0.5 + numbers().next()
      const { problems, areas, compared } = checkRows(
        [row('hash/a', { x: 10 * factor, y: 2 }), good[1]!],
        baseline,
        ['hash', 'aead']
      )
      const lost = factor < KEPT_PART_MIN
      assert.deepEqual([problems.length, areas, compared], [lost ? 1 : 0, lost ? ['hash'] : [], 3])
    }
    const [line] = checkRows([row('hash/a', { x: 8, y: 2 })], baseline, ['hash']).problems
    assert.equal(line, 'hash/a: ratio to x fell from 10 to 8 (-20 %)')
  })

  it('does not take a missing row, peer or number for a good one', () => {
    assert.match(checkRows([], baseline, ['hash']).problems.join(), /no such row any more/)
    const noPeer = checkRows([row('hash/a', { x: 10 })], baseline, ['hash'])
    assert.match(noPeer.problems.join(), /no ratio to y any more/)
    const notNumber = checkRows([row('hash/a', { x: Number.NaN, y: 2 })], baseline, ['hash'])
    assert.equal(notNumber.problems.length, 1)
  })

  it('looks only at areas that ran, and says what was skipped', () => {
    assert.deepEqual(checkRows([good[1]!], baseline, ['aead']).problems, [])
    const skipped = [skippedRow('hash/a', 'not built')]
    const { problems, notes } = checkRows(skipped, baseline, ['hash'])
    assert.deepEqual([problems, notes], [[], ['hash/a: not checked, not built']])
  })

  it('does not accept growth over its limit, however often it is measured', () => {
    const grown = { ...row('memory/put', {}, false), growthMiB: 301, limitMiB: 300 }
    const { problems, areas } = checkRows([grown], {}, ['memory'])
    assert.deepEqual([problems, areas], [['memory/put: growth 301 MiB, 300 allowed'], []])
    assert.deepEqual(checkRows([{ ...grown, growthMiB: 300 }], {}, ['memory']).problems, [])
  })

  it('measures a slow start again, and takes the faster one', () => {
    const slow = { ...row('start/a', {}, false), milliseconds: 11, limitMilliseconds: 10 }
    const { problems, areas } = checkRows([slow], {}, ['start'])
    assert.deepEqual([problems, areas], [['start/a: start 11 ms, 10 allowed'], ['start']])
    const best = bestOf([slow], [{ ...slow, milliseconds: 9 }])
    assert.equal(best[0]!.milliseconds, 9)
    assert.deepEqual(checkRows(best, {}, ['start']).problems, [])
    assert.equal(bestOf([slow], [{ ...slow, milliseconds: 12 }])[0]!.milliseconds, 11)
  })

  it('notes a peer that does not run on this machine, with the CPU ratio of it', () => {
    const found = { ...row('hash/a', { x: 10 }), missing: { y: 'no build' } }
    const { problems, notes } = checkRows([found], { 'hash/a': { x: 10, y: 2, 'y/cpu': 2 } }, [
      'hash'
    ])
    assert.deepEqual(problems, [])
    assert.deepEqual(notes, [
      'hash/a: y not checked, no build',
      'hash/a: y/cpu not checked, no build'
    ])
  })

  it('lets a second measurement clear a loss, never hide one', () => {
    const first = [row('hash/a', { x: 5, y: 2 }), good[1]!]
    const better = [row('hash/a', { x: 10, y: 1 })]
    assert.deepEqual(bestOf(first, better)[0]!.ratios, { x: 10, y: 2 })
    assert.deepEqual(bestOf(first, [row('hash/a', { x: 4, y: 1 })]), first)
    assert.deepEqual(bestOf(first, [skippedRow('hash/a', 'no')]), first)
    assert.deepEqual(bestOf(first, []), first)
  })

  it('replaces the areas that ran and keeps the others', () => {
    const rows = [row('hash/new', { x: 4 })]
    const merged = { 'aead/b': { x: 1 }, 'hash/new': { x: 4 } }
    assert.deepEqual(mergedBaseline(baseline, rows, ['hash']), merged)
  })

  it('is committed with well-formed names and positive ratios', () => {
    const file = new URL('../../bench/baseline.json', import.meta.url)
    const committed = JSON.parse(readFileSync(file, 'utf8')) as Baseline
    assert.ok(Object.keys(committed).length > 10)
    for (const [name, ratios] of Object.entries(committed)) {
      checkRowName(name)
      for (const ratio of Object.values(ratios)) assert.ok(ratio > 0, name)
    }
  })
})
