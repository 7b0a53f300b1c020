import assert from 'node:assert/strict'
import { AssertionError, assert as check, unreachable } from '../../src/base/assert.ts'
import { HoldfastError, messageOf, toHoldfastError } from '../../src/base/errors.ts'

describe('errors', () => {
  it('carry a code, facts, a hint and a cause', () => {
    const cause = new Error('disk')
    const error = new HoldfastError('QUOTA_EXCEEDED', 'full', {
      details: { free: 0 },
      hint: 'add space',
      cause,
      retryable: true
    })
    assert.deepEqual(
      [error.name, error.code, error.message, error.hint, error.retryable],
      ['HoldfastError', 'QUOTA_EXCEEDED', 'full', 'add space', true]
    )
    assert.equal(error.cause, cause)
    assert.deepEqual(JSON.parse(JSON.stringify(error)), {
      code: 'QUOTA_EXCEEDED',
      message: 'full',
      hint: 'add space',
      details: { free: 0 }
    })
    const bare = new HoldfastError('NOT_FOUND', 'no')
    assert.deepEqual(bare.toJSON(), { code: 'NOT_FOUND', message: 'no' })
    assert.ok(!('cause' in bare) && !bare.retryable)
  })

  it('are known across copies of the library, by code', () => {
    const error = new HoldfastError('NOT_FOUND', 'no')
    assert.ok(HoldfastError.is(error) && HoldfastError.is(error, 'NOT_FOUND'))
    assert.ok(!HoldfastError.is(error, 'INTERNAL'))
    const foreign = { [Symbol.for('holdfast.error')]: true, code: 'NOT_FOUND' }
    assert.ok(HoldfastError.is(foreign, 'NOT_FOUND'))
    for (const other of [undefined, null, 'NOT_FOUND', { code: 'NOT_FOUND' }, new Error('x')]) {
      assert.ok(!HoldfastError.is(other))
    }
  })

  it('are made of anything that was thrown', () => {
    const own = new HoldfastError('TIMEOUT', 'late')
    assert.equal(toHoldfastError(own), own)
    const cases: [thrown: unknown, code: string][] = [
      [new DOMException('x', 'AbortError'), 'ABORTED'],
      [AbortSignal.abort().reason, 'ABORTED'],
      [new DOMException('x', 'TimeoutError'), 'TIMEOUT'],
      [new TypeError('x'), 'INTERNAL'],
      ['text', 'INTERNAL'],
      [undefined, 'INTERNAL'],
      [null, 'INTERNAL'],
      [0, 'INTERNAL']
    ]
    for (const [thrown, code] of cases) {
      const error = toHoldfastError(thrown)
      assert.equal(error.code, code)
      assert.equal(error.cause, thrown)
    }
    assert.equal(toHoldfastError(new DOMException('x', 'TimeoutError')).retryable, true)
    assert.equal(messageOf(new Error('m')), 'm')
    assert.equal(messageOf(7), '7')
  })
})

describe('assert', () => {
  it('is about bugs, not about operation', () => {
    check(true, 'fine')
    assert.throws(() => check(false, 'what'), AssertionError)
    assert.throws(() => unreachable('x' as never), /unreachable: x/)
    assert.ok(!HoldfastError.is(new AssertionError('x')))
  })
})
