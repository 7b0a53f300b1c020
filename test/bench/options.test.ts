import assert from 'node:assert/strict'
import { chartPage } from '../../bench/chart.ts'
import { skippedRow } from '../../bench/harness.ts'
import { parseOptions, UsageError } from '../../bench/options.ts'
import { tableOf } from '../../bench/report.ts'
import type { Area, Row } from '../../bench/types.ts'

const area = (name: string, onlyWhenNamed = false): Area => ({
  ...{ name, about: name, onlyWhenNamed },
  async *run() {}
})
const AREAS = [area('hash'), area('store'), area('memory', true)]

const ROW: Row = {
  ...{ name: 'memory/put size=1GiB', basis: 'wall', cpuMBps: 10, wallMBps: 20, spread: 0 },
  ...{ growthMiB: 301, idleMiB: 100, peakMiB: 401, limitMiB: 300 },
  ...{ ratios: { '<peer>': 0.5 }, ratioSpreads: { '<peer>': 0.2 }, rounds: 5, guard: false }
}

describe('bench/options', () => {
  const areasOf = (...args: string[]): string[] =>
    parseOptions(args, AREAS, ['store']).areas.map(({ name }) => name)

  it('runs everything but what has to be named, and what is named in its own order', () => {
    assert.deepEqual(areasOf(), ['hash', 'store'])
    assert.deepEqual(areasOf('--only', 'memory,hash'), ['hash', 'memory'])
    assert.deepEqual(areasOf('--only', 'store', '--only', 'hash'), ['hash', 'store'])
    assert.deepEqual(areasOf('--fit'), ['store'])
  })

  it('takes a size with its unit, within reason', () => {
    const sizeOf = (...args: string[]): number | undefined =>
      parseOptions(args, AREAS, []).sizeBytes
    assert.equal(sizeOf(), undefined)
    assert.equal(sizeOf('--size', '1GiB'), 2 ** 30)
    for (const bad of ['1', '1KiB', '65GiB', '1.5MiB', '']) {
      assert.throws(() => sizeOf('--size', bad), UsageError, bad)
    }
  })

  it('refuses unknown areas and flags', () => {
    const bad = [['--only', 'nope'], ['--only', ''], ['--nope'], ['--check', '--write-baseline']]
    for (const args of bad) assert.throws(() => areasOf(...args), UsageError, args.join(' '))
  })
})

describe('bench/report', () => {
  it('does not hide growth over the limit, or what was skipped', () => {
    const text = tableOf([ROW, skippedRow('erasure/encode k=4 n=8', 'not built')])
    assert.match(text, /OVER the limit of 300 MiB/)
    assert.match(text, /erasure\/encode k=4 n=8 +skipped +not built/)
    assert.match(tableOf([{ ...ROW, growthMiB: 300 }]), /within the limit/)
    const start = { ...ROW, name: 'start/kernel', opsPerSecond: 80, milliseconds: 12.5 }
    const late = tableOf([{ ...start, limitMilliseconds: 10, missing: { native: 'not built' } }])
    assert.match(late, /12\.5 ms.*start 12\.5 ms: OVER the limit of 10 ms.*no native: not built/)
  })

  it('draws every row, escaped', () => {
    const facts = { at: '2026-01-01T00:00:00Z', node: '24', cpu: 'A & B', cores: 2 }
    const page = chartPage([ROW], facts)
    assert.ok(page.includes('A &#38; B') && page.includes('&#60;peer&#62;'))
    assert.ok(!page.includes('<peer>') && page.includes('0.5×') && page.includes('OVER'))
  })
})
