/** The durability model: against closed forms, in its limits, and where numbers are tiny. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import {
  durabilityOf,
  lossOf,
  NINES_MAX,
  ninesOf,
  ninesOfObject,
  type Rates,
  ratesOf,
  repairThreshold,
  repairTime
} from '../../src/market/index.ts'
import { menuTable } from './durability-menu.ts'

const rates: Rates = { failuresPerYear: 0.1, repairYears: 0.02, repairStages: 1 }
const DAY_MS = 86_400_000

function near(actual: number, expected: number, relative = 1e-9): void {
  assert.ok(Math.abs(actual / expected - 1) < relative, `${actual} instead of ${expected}`)
}

describe('durability', () => {
  it('is the birth-death chain of two copies', () => {
    const [fails, repairs] = [0.1, 50]
    // state 0 -> 1 at 2f; then lost with f/(f+r)
    const cycle = 1 / (2 * fails) + 1 / (fails + repairs)
    const rate = fails / (fails + repairs) / cycle
    near(durabilityOf({ k: 1, n: 2 }, 1, rates).lossPerYear, -Math.expm1(-rate))
  })

  it('is the product of chances of an eager code with exponential repair', () => {
    const { failuresPerYear: f, repairYears } = rates
    let lost = 1
    for (let j = 1; j <= 4; j++) lost *= ((8 - j) * f) / ((8 - j) * f + 1 / repairYears)
    // the time of the repair is next to nothing beside the wait for the first failure
    near(durabilityOf({ k: 4, n: 8 }, 7, rates).lossPerYear, lost * 8 * f, 0.02)
  })

  it('agrees with the Poisson tail when the repair time is constant', () => {
    const many = { failuresPerYear: 0.01, repairYears: 0.01, repairStages: 64 }
    const { lossPerYear } = durabilityOf({ k: 1, n: 3 }, 2, many)
    // 3f to the first, then two more within the time: 2f · f · T² / 2 · (1 + 1/64)
    near(lossPerYear, 3 * 0.01 * (2 * 1e-4 * 1e-4 * 0.5) * (1 + 1 / 64), 0.01)
  })

  it('keeps its digits where the numbers are tiny', () => {
    const safe = { failuresPerYear: 0.001, repairYears: 0.001, repairStages: 4 }
    const { lossPerYear } = durabilityOf({ k: 29, n: 80 }, 79, safe)
    assert.ok(lossPerYear > 1e-320 && lossPerYear < 1e-150, `${lossPerYear}`)
    assert.equal(ninesOf(lossPerYear), NINES_MAX)
    const twice = durabilityOf({ k: 10, n: 30 }, 29, {
      ...safe,
      failuresPerYear: 0.002
    }).lossPerYear
    const once = durabilityOf({ k: 10, n: 30 }, 29, safe).lossPerYear
    near(twice / once, 2 ** 21, 0.01)
  })

  it('is monotone: more failures, slower repair, lazier repair and fewer pieces lose more', () => {
    const loss = (k: number, n: number, at: number, changes: Partial<Rates> = {}): number =>
      durabilityOf({ k, n }, at, { ...rates, repairStages: 8, ...changes }).lossPerYear
    for (const [k, n] of [
      [1, 2],
      [4, 8],
      [10, 30],
      [29, 80]
    ] as const) {
      const base = loss(k, n, n - 1)
      assert.ok(loss(k, n, n - 1, { failuresPerYear: 0.2 }) > base)
      assert.ok(loss(k, n, n - 1, { repairYears: 0.04 }) > base)
      for (let at = k; at < n - 1; at++) assert.ok(loss(k, n, at) > loss(k, n, at + 1))
      if (k + 1 < n) assert.ok(loss(k + 1, n, n - 1) > base)
    }
  })

  it('counts the pieces that are missing now', () => {
    const code = { k: 4, n: 8 }
    const losses = [0, 1, 2, 3, 4, 5].map(missing => lossOf(code, 7, rates, missing))
    for (let i = 1; i < losses.length; i++) assert.ok(losses[i]! > losses[i - 1]!, `${losses}`)
    assert.equal(losses[5], 1)
    assert.equal(ninesOfObject(code, rates, [5]), 0)
    assert.ok(ninesOfObject(code, rates, [0, 4]) < ninesOfObject(code, rates, [0, 0]))
    assert.ok(ninesOfObject(code, rates, [0, 0]) <= ninesOfObject(code, rates, [0]))
  })

  it('repairs as late as the nines wanted allow, and at once where nothing is enough', () => {
    const real = ratesOf([], { periodMs: DAY_MS, abandonPeriods: 7 })
    for (const code of [
      { k: 10, n: 30 },
      { k: 29, n: 80 }
    ]) {
      const at = repairThreshold(code, real)
      assert.ok(at < code.n - 1)
      assert.ok(durabilityOf(code, at, real).nines >= 11)
      assert.ok(durabilityOf(code, at - 1, real).nines < 11)
      assert.ok(durabilityOf(code, at, real).repairBytesPerLostByte < 1)
    }
    assert.equal(repairThreshold({ k: 4, n: 8 }, real), 7)
  })

  it('is what docs/DURABILITY.md says', async () => {
    const text = await readFile(new URL('../../docs/DURABILITY.md', import.meta.url), 'utf8')
    for (const line of menuTable()) assert.ok(text.includes(`${line}\n`), line)
  })

  it('takes its rates from what was observed, and from others before', () => {
    const pace = { periodMs: DAY_MS, abandonPeriods: 7 }
    const young = ratesOf([], pace)
    near(young.failuresPerYear, 0.08)
    const years = (count: number, isGone: boolean) =>
      Array.from({ length: count }, () => ({ periods: 365.25, isGone }))
    near(ratesOf(years(990, false), pace).failuresPerYear, 0.0008)
    near(ratesOf([...years(900, false), ...years(90, true)], pace).failuresPerYear, 0.0908)
    const { repairYears, repairStages } = repairTime(7 * DAY_MS, DAY_MS, DAY_MS)
    near(repairYears * 365.25, 8.5)
    assert.equal(repairStages, Math.round(8.5 ** 2 / (1 + 1 / 12)))
  })
})
