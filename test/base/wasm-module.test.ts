import assert from 'node:assert/strict'
import { HoldfastError } from '../../src/base/errors.ts'
import {
  chooseImplementation,
  type FallbackReason,
  type Implementation,
  KERNEL_PAGES_MAX,
  KernelUnavailableError,
  loadKernel,
  WASM_PAGE_BYTES
} from '../../src/base/wasm-module.ts'

type Choice = [Implementation, FallbackReason | undefined]

/** Runs all implementations but those. */
function without(...missing: Implementation[]): (...choice: Choice) => Choice {
  return (...choice) => {
    if (!missing.includes(choice[0])) return choice
    throw new KernelUnavailableError(choice[0] === 'simd' ? 'no-memory' : 'not-built', 'gone')
  }
}

describe('implementation', () => {
  it('is the fastest that runs, with the reason for each faster one', () => {
    assert.deepEqual(chooseImplementation(undefined, without()), ['relaxed-simd', undefined])
    assert.deepEqual(chooseImplementation(undefined, without('relaxed-simd')), [
      'simd',
      { reason: 'not-built', message: 'relaxed-simd: not-built: gone' }
    ])
    assert.deepEqual(chooseImplementation(undefined, without('relaxed-simd', 'simd')), [
      'javascript',
      {
        reason: 'not-built',
        message: 'relaxed-simd: not-built: gone; simd: no-memory: gone'
      }
    ])
  })

  it('is the one asked for or none', () => {
    assert.deepEqual(chooseImplementation('javascript', without()), ['javascript', undefined])
    assert.throws(
      () => chooseImplementation('simd', without('simd')),
      (error: unknown) =>
        HoldfastError.is(error, 'INVALID_ARGUMENT') && error.details['reason'] === 'no-memory'
    )
  })

  it('passes other errors on', () => {
    const fail = (): never => {
      throw new RangeError('a bug')
    }
    assert.throws(() => chooseImplementation(undefined, fail), /a bug/)
  })
})

describe('kernel', () => {
  it('says why it cannot be loaded', () => {
    const reasonIs = (reason: string) => (error: unknown) =>
      error instanceof KernelUnavailableError && error.reason === reason
    assert.throws(() => loadKernel('nothing', 'simd', 1), reasonIs('not-built'))
    const bytes = (KERNEL_PAGES_MAX + 1) * WASM_PAGE_BYTES
    assert.throws(() => loadKernel('blake3', 'simd', bytes), reasonIs('no-memory'))
  })

  it('gets a memory of its own', () => {
    const [a, b] = [
      loadKernel('blake3', 'simd', 1),
      loadKernel('blake3', 'simd', WASM_PAGE_BYTES + 1)
    ]
    assert.equal(a.memory.buffer.byteLength, WASM_PAGE_BYTES)
    assert.equal(b.memory.buffer.byteLength, 2 * WASM_PAGE_BYTES)
  })
})
