/** The client's namespace: one synced step per change, nothing lost by a restart, every path listed. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { toHex, utf8 } from '../../../src/base/bytes.ts'
import { encodeDocument } from '../../../src/base/codec.ts'
import { HoldfastError } from '../../../src/base/errors.ts'
import { MANIFEST_BYTES_MAX } from '../../../src/base/limits.ts'
import { type Intent, type NamedObject, Names } from '../../../src/node/client/names.ts'
import { type BytesDb, openDatabase } from '../../../src/node/open-database.ts'
import { normalisePath } from '../../../src/storage/index.ts'
import { suiteRandom } from '../../storage/random.ts'
import { makeTempFolder, removeTempFolder } from '../../storage/temp-folder.ts'

describe('names', function () {
  this.timeout(30_000)
  const random = suiteRandom()
  let folder: string
  let db: BytesDb
  let names: Names
  const reopen = async (): Promise<void> => {
    await db?.close()
    db = await openDatabase(join(folder, 'names'))
    names = new Names(db)
  }
  beforeEach(async () => {
    folder = await makeTempFolder()
    await reopen()
  })
  afterEach(async () => {
    await db.close()
    await removeTempFolder(folder)
  })

  const hex = (): string => toHex(random.bytes(8))
  const intentOf = (): Intent => ({
    pieces: Array.from({ length: 1 + random.below(3) }, () => {
      return { deal: random.bytes(32), root: random.bytes(32) }
    })
  })
  const objectOf = (changes: Partial<NamedObject> = {}): NamedObject => ({
    record: { manifest: hex(), bytes: random.below(2 ** 31), modifiedMs: 1_700_000_000_000 },
    manifest: random.bytes(random.below(500)),
    intentId: hex(),
    ...changes
  })
  const listed = async (prefix: string): Promise<string[]> => {
    const paths: string[] = []
    for await (const { path } of names.list(prefix)) paths.push(path)
    return paths
  }
  /** Compares by content: bytes come back as views of the database's own kind. */
  const assertSame = (found: unknown, expected: unknown): void => {
    assert.equal(toHex(encodeDocument(found ?? null)), toHex(encodeDocument(expected ?? null)))
  }
  const intents = async (): Promise<string[]> => (await names.intents()).map(({ id }) => id).sort()
  const keys = async (): Promise<string[]> => await db.keys().all()

  it('finds nothing where nothing is', async () => {
    assert.equal(await names.get('/a'), undefined)
    await assert.rejects(names.resolve('/a'), error => {
      assert.ok(HoldfastError.is(error, 'NOT_FOUND'))
      assert.match(error.message, /nothing is stored under \/a/)
      return error.hint !== undefined
    })
    assert.deepEqual([await listed('/'), await intents()], [[], []])
  })

  it('names an object and ends its intent in one step', async () => {
    const object = objectOf()
    await names.setIntent(object.intentId, intentOf())
    await names.setIntent('other', intentOf())
    await names.set('/a', object)
    for (let i = 0; i < 2; i++) {
      assertSame(await names.resolve('/a'), {
        record: object.record,
        manifest: object.manifest
      })
      assert.deepEqual(await intents(), ['other'])
      await reopen()
    }
  })

  it('replaces an object and begins to give back the old one in one step', async () => {
    const [old, next] = [objectOf(), objectOf()]
    await names.set('/a', old)
    const release = { id: hex(), intent: intentOf(), manifest: old.record.manifest }
    await names.set('/a', { ...next, release })
    await reopen()
    assert.deepEqual((await names.resolve('/a')).record, next.record)
    assertSame(await names.intents(), [{ id: release.id, intent: release.intent }])
    assert.equal(
      (await keys()).filter(key => key.startsWith('m/')).length,
      1,
      'the old manifest goes'
    )
    await names.endIntent(release.id)
    await names.endIntent('never was')
    assert.deepEqual(await intents(), [])
  })

  it('removes an object and begins to give it back in one step', async () => {
    const object = objectOf()
    await names.set('/a', object)
    const release = { id: hex(), intent: intentOf(), manifest: object.record.manifest }
    await names.remove('/a', release)
    await reopen()
    await assert.rejects(names.resolve('/a'), { code: 'NOT_FOUND' })
    assertSame(await names.intents(), [{ id: release.id, intent: release.intent }])
    await names.endIntent(release.id)
    assert.deepEqual(await keys(), [], 'nothing is left')
  })

  it('keeps intents as they were written', async () => {
    const written = new Map(Array.from({ length: 5 }, () => [hex(), intentOf()]))
    for (const [id, intent] of written) await names.setIntent(id, intent)
    await reopen()
    assertSame(
      await names.intents(),
      [...written].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, intent]) => ({ id, intent }))
    )
  })

  it('refuses a manifest that could not be read again, and changes nothing', async () => {
    const manifest = new Uint8Array(MANIFEST_BYTES_MAX + 1)
    await assert.rejects(names.set('/a', objectOf({ manifest })), { code: 'INVALID_ARGUMENT' })
    assert.deepEqual(await keys(), [])
  })

  it('lists what is below a prefix, in the order of bytes', async () => {
    const paths = ['/a', '/a/b', '/a/b/c', '/a0', '/a!', '/A/b', '/é/x', '/日本/語', '/😀', '/z']
    for (const path of random.shuffled(paths)) await names.set(path, objectOf())
    const inOrder = [...paths].sort((a, b) => Buffer.compare(utf8(a), utf8(b)))
    assert.deepEqual(await listed('/'), inOrder)
    assert.deepEqual(await listed('/a/'), ['/a/b', '/a/b/c'])
    assert.deepEqual(
      await listed('/a'),
      inOrder.filter(path => path.startsWith('/a'))
    )
    assert.deepEqual(await listed('/b/'), [])
  })

  it('lists every path that can be stored, at the edges of Unicode too', async () => {
    const paths = [
      '/\u{10ffff}',
      '/\u{10ffff}x/y',
      '/\u{10fffe}',
      '/\uffff',
      '/ ',
      '/~',
      '/n/x',
      '/i/x',
      `/${'x'.repeat(1023)}`
    ].map(normalisePath)
    for (const path of paths) await names.set(path, objectOf())
    assert.deepEqual(new Set(await listed('/')), new Set(paths))
    assert.deepEqual(await listed('/\u{10ffff}x/'), ['/\u{10ffff}x/y'])
  })

  it('agrees with a naive model', async () => {
    const model = new Map<string, NamedObject>()
    const open = new Map<string, Intent>()
    const paths = Array.from({ length: 12 }, (_, i) => `/${'abc'[i % 3]}/${i}`)
    for (let step = 0; step < 150; step++) {
      const path = paths[random.below(paths.length)]!
      const current = model.get(path)
      const release = current && {
        id: hex(),
        intent: intentOf(),
        manifest: current.record.manifest
      }
      if (release !== undefined && random.below(3) === 0) {
        await names.remove(path, release)
        model.delete(path)
      } else {
        const object = objectOf()
        await names.setIntent(object.intentId, intentOf())
        await names.set(path, { ...object, ...(release && { release }) })
        model.set(path, object)
      }
      if (release !== undefined) open.set(release.id, release.intent)
      const [done] = open.keys()
      if (done !== undefined && random.below(2) === 0) {
        await names.endIntent(done)
        open.delete(done)
      }
      if (random.below(30) === 0) await reopen()
    }
    for (const path of paths) {
      assert.deepEqual(await names.get(path), model.get(path)?.record)
      const found = model.has(path) ? (await names.resolve(path)).manifest : undefined
      assertSame(found, model.get(path)?.manifest)
    }
    assert.deepEqual(await intents(), [...open.keys()].sort())
    assert.equal((await keys()).length, 2 * model.size + open.size)
  })
})
