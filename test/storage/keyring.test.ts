import assert from 'node:assert/strict'
import { equal, toHex } from '../../src/base/bytes.ts'
import {
  createKeyring,
  descend,
  unwrapKey,
  WRAPPED_KEY_BYTES,
  wrapKey
} from '../../src/storage/keyring.ts'
import { suiteRandom } from './random.ts'

const DECRYPT_FAILED = { code: 'DECRYPT_FAILED' }

describe('keyring', () => {
  const random = suiteRandom()

  it('opens everything under a prefix with the key of the prefix', () => {
    const keyring = createKeyring(random.bytes(32))
    const below = descend(keyring.pathKey('/photos'), ['2024', 'cat.jpg'])
    assert.deepEqual(below, keyring.pathKey('/photos/2024/cat.jpg'))
    assert.deepEqual(descend(keyring.pathKey('/'), ['photos']), keyring.pathKey('/photos/'))
  })

  it('gives every path its own key', () => {
    const keyring = createKeyring(random.bytes(32))
    const paths = ['/', '/a', '/b', '/a/b', '/ab', '/a/b/c', '/a b', `/${'x'.repeat(1023)}`]
    const keys = new Set(paths.map(path => toHex(keyring.pathKey(path))))
    assert.equal(keys.size, paths.length)
    const other = createKeyring(random.bytes(32))
    assert.ok(!equal(other.pathKey('/a'), keyring.pathKey('/a')))
  })

  it('derives from the one spelling of a path', () => {
    const keyring = createKeyring(random.bytes(32))
    assert.deepEqual(keyring.pathKey('/e\u0301'), keyring.pathKey('/\u00e9'))
    assert.throws(() => keyring.pathKey('a'), { code: 'INVALID_ARGUMENT' })
  })

  it('wraps segment keys', () => {
    const pathKey = random.bytes(32)
    const segmentKey = random.bytes(32)
    const wrapped = wrapKey(pathKey, segmentKey, random)
    assert.equal(wrapped.length, WRAPPED_KEY_BYTES)
    assert.deepEqual(unwrapKey(pathKey, wrapped), segmentKey)
    assert.ok(!equal(wrapKey(pathKey, segmentKey, random), wrapped))
  })

  it('fails to unwrap with another key, and altered or cut bytes', () => {
    const pathKey = random.bytes(32)
    const wrapped = wrapKey(pathKey, random.bytes(32), random)
    assert.throws(() => unwrapKey(random.bytes(32), wrapped), DECRYPT_FAILED)
    for (let i = 0; i < wrapped.length; i++) {
      const altered = wrapped.slice()
      altered[i]! ^= 1
      assert.throws(() => unwrapKey(pathKey, altered), DECRYPT_FAILED)
      assert.throws(() => unwrapKey(pathKey, wrapped.subarray(0, i)), DECRYPT_FAILED)
    }
  })
})
