/** The plan itself: operation counts, bounds that the memory layout relies on, and when it is taken. */
import assert from 'node:assert/strict'
import { fftPlan } from '../../../src/storage/reed-solomon/fft-plan.ts'
import { divide, multiply, nibbleTables } from '../../../src/storage/reed-solomon/field.ts'
import { repairJob } from '../../../src/storage/reed-solomon/jobs.ts'
import {
  PLAN_STEPS_MAX,
  PLAN_TEMPORARIES_MAX
} from '../../../src/storage/reed-solomon/kernel-memory.ts'
import { range } from '../../../src/storage/reed-solomon/oracle.ts'
import { lagrangeRows } from '../../../src/storage/reed-solomon/rows.ts'
import { presentWithout } from './support.ts'

describe('reed-solomon field and rows', () => {
  it('multiplies as polynomials modulo 0x11d', () => {
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) {
        let product = 0
        for (let bit = 7; bit >= 0; bit--) {
          product = (product << 1) ^ (product & 0x80 ? 0x11d : 0)
          if ((b >> bit) & 1) product ^= a
        }
        assert.equal(multiply(a, b), product)
        if (b !== 0) assert.equal(divide(product, b), a)
      }
    }
  })

  it('splits products into nibbles', () => {
    const tables = nibbleTables()
    for (const [s, x] of [
      [0, 255],
      [1, 0x5a],
      [29, 0xff],
      [255, 0x13]
    ] as const) {
      const product = tables[s * 32 + (x & 15)]! ^ tables[s * 32 + 16 + (x >> 4)]!
      assert.equal(product, multiply(s, x))
    }
  })

  it('interpolates: a row of a polynomial of degree 1', () => {
    const line = (x: number): number => multiply(7, x) ^ 19
    const [row] = lagrangeRows([3, 200], [77])
    assert.equal(multiply(row![0]!, line(3)) ^ multiply(row![1]!, line(200)), line(77))
  })
})

describe('reed-solomon plan', () => {
  it('needs far fewer multiplications than the matrix', () => {
    for (const [k, n, products] of [
      [10, 30, 42],
      [29, 80, 171],
      [32, 96, 209]
    ] as const) {
      const { steps } = fftPlan(k, 0, range(k, n))
      const count = steps.filter(step => step.kind !== 'xor' && step.kind !== 'copy').length
      assert.ok(count <= products, `${k}/${n}: ${count}, the matrix has ${k * (n - k)}`)
    }
  })

  it('fits the memory layout for every k and many shifts', () => {
    for (let k = 1; k < 256; k++) {
      const shift = (k * 37) % 256
      for (const base of [0, shift]) {
        const known = new Set(range(0, k).map(i => base ^ i))
        const rest = range(0, 256).filter(point => !known.has(point))
        for (const wanted of [rest, rest.filter((_, i) => i % 3 === 0)]) {
          const plan = fftPlan(k, base, wanted)
          assert.ok(plan.steps.length <= PLAN_STEPS_MAX, `k ${k}: ${plan.steps.length} steps`)
          assert.ok(plan.temporaries <= PLAN_TEMPORARIES_MAX, `k ${k}: ${plan.temporaries}`)
        }
      }
    }
  })

  it('decodes by FFT from any k shards in a row, by matrix from scattered ones', () => {
    const kinds = (lost: number[]): string =>
      repairJob({ k: 29, n: 80 }, presentWithout(80, lost), 80)
        .steps.map(step => step.kind)
        .join()
    assert.equal(kinds([]), '')
    assert.equal(kinds(range(0, 29)), 'fft')
    assert.equal(kinds([7]), 'matrix')
    assert.equal(kinds(range(29, 80)), 'fft')
    assert.equal(kinds([0, ...range(31, 80)]), 'matrix,fft')
  })
})
