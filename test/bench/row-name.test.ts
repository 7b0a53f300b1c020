import assert from 'node:assert/strict'
import {
  areaOf,
  bytesOfSize,
  checkRowName,
  ROW_KEYS,
  type RowParameters,
  rowName,
  sizeOf
} from '../../bench/row-name.ts'
import { suiteNumbers } from './random.ts'

const VALUES: Record<(typeof ROW_KEYS)[number], string> = {
  k: '10',
  n: '30',
  size: '64MiB',
  api: 'stripes',
  level: 'relaxed-simd'
}

describe('bench/row-name', () => {
  const numbers = suiteNumbers()

  it('writes the keys in their order, however they are given', () => {
    for (let i = 0; i < 50; i++) {
      const keys = numbers()
        .shuffled(ROW_KEYS)
        .slice(numbers().below(ROW_KEYS.length + 1))
      const given = Object.fromEntries(keys.map(key => [key, VALUES[key]]))
      const expected = ROW_KEYS.filter(key => keys.includes(key)).map(
        key => ` ${key}=${VALUES[key]}`
      )
      assert.equal(rowName('erasure', 'encode', given), `erasure/encode${expected.join('')}`)
    }
  })

  it('accepts keys in order and refuses every other order', () => {
    for (let i = 0; i < 200; i++) {
      const keys = numbers()
        .shuffled(ROW_KEYS)
        .slice(0, 1 + numbers().below(ROW_KEYS.length))
      const name = ['area/op', ...keys.map(key => `${key}=${VALUES[key]}`)].join(' ')
      const positions = keys.map(key => ROW_KEYS.indexOf(key))
      const ordered = positions.every((position, at) => at === 0 || position > positions[at - 1]!)
      if (ordered) assert.equal(checkRowName(name), name)
      else assert.throws(() => checkRowName(name), /order/, name)
    }
  })

  it('refuses what is unknown, repeated or malformed', () => {
    const bad = [
      'hash',
      'hash/',
      'hash/blake3/more',
      'Hash/blake3',
      'hash/blake3  size=1KiB',
      'hash/blake3 size',
      'hash/blake3 size=',
      'hash/blake3 size=1KB',
      'hash/blake3 size=1.5KiB',
      'hash/blake3 size=1KiB size=2KiB',
      'hash/blake3 bytes=1',
      'hash/blake3 k=0',
      'hash/blake3 k=4=5',
      'hash/blake3 api=A',
      'hash/blake3 toString=1',
      ' hash/blake3',
      'hash/blake3 '
    ]
    for (const name of bad)
      assert.throws(() => checkRowName(name), { name: 'AssertionError' }, name)
    const stranger = { bytes: 1 } as RowParameters
    assert.throws(() => rowName('hash', 'blake3', stranger), /unknown key/)
  })

  it('names areas and sizes', () => {
    assert.equal(areaOf('store/put size=8MiB'), 'store')
    const sizes = [1, 1000, 1024, 1536, 65_536, 1_048_576, 2 ** 30, 3 * 2 ** 30]
    const names = ['1B', '1000B', '1KiB', '1536B', '64KiB', '1MiB', '1GiB', '3GiB']
    assert.deepEqual(sizes.map(sizeOf), names)
    assert.deepEqual(names.map(bytesOfSize), sizes)
    for (const bad of ['', '0B', '1', '1KB', '1.5MiB', '-1MiB', '01B', '1 MiB', '1TiB']) {
      assert.equal(bytesOfSize(bad), undefined, bad)
    }
  })
})
