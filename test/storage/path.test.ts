import assert from 'node:assert/strict'
import { normalisePath, normalisePrefix, pathParts } from '../../src/storage/path.ts'

const INVALID = { code: 'INVALID_ARGUMENT' }

describe('path', () => {
  it('keeps a good path', () => {
    for (const path of ['/a', '/a/b', '/a b/ü', '/.hidden/...', '/a\\b', '/日本/🦊', '/%2F']) {
      assert.equal(normalisePath(path), path)
    }
  })

  it('gives one spelling to what looks alike', () => {
    assert.equal(normalisePath('/e\u0301'), '/\u00e9')
    assert.equal(normalisePath('/\u1112\u1161\u11ab'), '/\ud55c')
  })

  it('refuses everything else', () => {
    const bad = ['', 'a', 'a/b', '/', '//', '/a/', '/a//b', '/.', '/..', '/a/../b', '/a/./b']
    for (const path of [...bad, '/a\0', '/a\nb', '/\x7f', '/\u0085', '/\ud800', ' /a']) {
      assert.throws(() => normalisePath(path), INVALID, JSON.stringify(path))
    }
  })

  it('counts bytes after normalisation', () => {
    assert.equal(normalisePath(`/${'x'.repeat(1023)}`).length, 1024)
    assert.throws(() => normalisePath(`/${'x'.repeat(1024)}`), INVALID)
    assert.throws(() => normalisePath(`/${'é'.repeat(512)}`), INVALID)
    const decomposed = 'e\u0301'.repeat(511)
    assert.equal(normalisePath(`/${decomposed}`).length, 512)
    assert.throws(() => normalisePath(`/${'x'.repeat(1e6)}`), INVALID)
  })

  it('knows prefixes', () => {
    assert.equal(normalisePrefix('/'), '/')
    assert.equal(normalisePrefix('/a/b/'), '/a/b')
    assert.equal(normalisePrefix('/a/b'), '/a/b')
    assert.throws(() => normalisePrefix('/a//'), INVALID)
    assert.throws(() => normalisePrefix('//'), INVALID)
    assert.throws(() => normalisePrefix(''), INVALID)
  })

  it('splits into parts', () => {
    assert.deepEqual(pathParts('/'), [])
    assert.deepEqual(pathParts('/a/b c'), ['a', 'b c'])
  })
})
