import assert from 'node:assert/strict'
import { CID } from 'multiformats/cid'
import { encodeDocument } from '../../src/base/codec.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { domain, sha256 } from '../../src/base/hash.ts'
import type { Random } from '../../src/base/ports.ts'
import { seal } from '../../src/storage/aead.ts'
import { deriveKey } from '../../src/storage/keyring.ts'
import { segmentLayout } from '../../src/storage/layout.ts'
import {
  type Manifest,
  manifestCid,
  openManifest,
  sealManifest
} from '../../src/storage/manifest.ts'
import { toDocument } from '../../src/storage/manifest-document.ts'
import { suiteRandom } from './random.ts'

const INVALID = { code: 'MANIFEST_INVALID' }

/** A manifest of 2 MiB + 5 in segments of 1 MiB. */
function example(random: Random, bytes = 2 * 1024 * 1024 + 5): Manifest {
  const profile = { k: 4, n: 8 }
  const segmentBytes = 1024 * 1024
  const segments = Array.from({ length: Math.ceil(bytes / segmentBytes) }, (_, i) => {
    const plainBytes = Math.min(segmentBytes, bytes - i * segmentBytes)
    return {
      bytes: plainBytes,
      wrappedKey: random.bytes(60),
      pieceBytes: segmentLayout(profile, plainBytes).pieceBytes,
      pieces: Array.from({ length: 8 }, () => ({
        root: random.bytes(32),
        provider: random.bytes(32),
        deal: random.bytes(32)
      }))
    }
  })
  return { version: 1, bytes, modifiedMs: 1_700_000_000_000, profile, segmentBytes, segments }
}

/** Any document, sealed as if it were a manifest. */
function sealDocument(document: unknown, pathKey: Uint8Array, random: Random): Uint8Array {
  const nonce = random.bytes(12)
  const aad = Uint8Array.of(...domain('manifest'), 1)
  const message = { key: deriveKey(pathKey, domain('manifest-key')), nonce, aad }
  return encodeDocument({ version: 1, nonce, body: seal(message, encodeDocument(document)) })
}

describe('manifest', () => {
  const random = suiteRandom()

  it('comes back as it was sealed', () => {
    const pathKey = random.bytes(32)
    for (const bytes of [0, 1, 1024 * 1024, 3_000_000]) {
      const manifest = example(random, bytes)
      assert.deepEqual(openManifest(sealManifest(manifest, pathKey, random), pathKey), manifest)
    }
  })

  it('shows nothing without the key', () => {
    const sealed = sealManifest(example(random), random.bytes(32), random)
    assert.throws(() => openManifest(sealed, random.bytes(32)), { code: 'DECRYPT_FAILED' })
    assert.ok(!Buffer.from(sealed).includes('segment'))
  })

  it('is named by the CID of its sealed bytes', () => {
    const sealed = sealManifest(example(random), random.bytes(32), random)
    const cid = CID.parse(manifestCid(sealed))
    assert.deepEqual([cid.version, cid.code, cid.multihash.code], [1, 0x71, 0x12])
    assert.deepEqual(new Uint8Array(cid.multihash.digest), new Uint8Array(sha256(sealed)))
  })

  it('never opens altered, cut or invented bytes, and always with a typed error', () => {
    const pathKey = random.bytes(32)
    const sealed = sealManifest(example(random, 10), pathKey, random)
    const refuse = (bytes: Uint8Array): void => {
      assert.throws(
        () => openManifest(bytes, pathKey),
        error =>
          HoldfastError.is(error, 'MANIFEST_INVALID') || HoldfastError.is(error, 'DECRYPT_FAILED')
      )
    }
    for (let at = 0; at < sealed.length; at++) {
      const altered = sealed.slice()
      altered[at]! ^= 1 << random.below(8)
      refuse(altered)
      refuse(sealed.subarray(0, at))
    }
    for (let round = 0; round < 500; round++) refuse(random.bytes(random.below(200)))
    refuse(Uint8Array.of(...sealed, 0))
    // Deep nesting must not end in a stack overflow.
    refuse(new Uint8Array(1_000_000).fill(0x81))
  })

  it('checks counts, lengths and sums inside the encryption', () => {
    const pathKey = random.bytes(32)
    const good = toDocument(example(random)) as Record<string, unknown>
    const segments = good['segments'] as Record<string, unknown>[]
    const withSegment = (change: object): object => ({
      ...good,
      segments: [{ ...segments[0], ...change }, ...segments.slice(1)]
    })
    openManifest(sealDocument(good, pathKey, random), pathKey)
    const bad: unknown[] = [
      null,
      [],
      'manifest',
      new Uint8Array(3),
      {},
      { ...good, version: 2 },
      { ...good, extra: 1 },
      { ...good, bytes: -1 },
      { ...good, bytes: 2 * 1024 * 1024 + 6 },
      { ...good, bytes: 0.5 },
      { ...good, bytes: '5' },
      { ...good, modifiedMs: null },
      { ...good, modifiedMs: -1 },
      { ...good, profile: [8, 8] },
      { ...good, profile: [4, 8, 1] },
      { ...good, profile: ['4', '8'] },
      { ...good, profile: [5, 8] },
      { ...good, segmentBytes: 0 },
      { ...good, segmentBytes: 1024 * 1024 + 1 },
      { ...good, segmentBytes: 65 * 1024 * 1024 },
      { ...good, bytes: 10 ** 12, segmentBytes: 1 },
      { ...good, segments: segments.slice(1) },
      { ...good, segments: [...segments, segments[0]] },
      { ...good, segments: [null, ...segments.slice(1)] },
      { ...good, segments: {} },
      withSegment({ bytes: 5 }),
      withSegment({ wrappedKey: new Uint8Array(59) }),
      withSegment({ wrappedKey: 'key' }),
      withSegment({ pieceBytes: 1 }),
      withSegment({ pieces: [] }),
      withSegment({ pieces: (segments[0]!['pieces'] as unknown[]).slice(1) }),
      withSegment({ pieces: Array.from({ length: 8 }, () => [new Uint8Array(32)]) }),
      withSegment({
        pieces: Array.from({ length: 8 }, () => [
          new Uint8Array(32),
          new Uint8Array(31),
          new Uint8Array(32)
        ])
      }),
      withSegment({ extra: true })
    ]
    for (const document of bad) {
      const sealed = sealDocument(document, pathKey, random)
      assert.throws(() => openManifest(sealed, pathKey), INVALID, JSON.stringify(document))
    }
  })

  it('refuses to seal what it would not open', () => {
    const manifest = example(random)
    const broken = { ...manifest, segments: manifest.segments.slice(1) }
    assert.throws(() => sealManifest(broken, random.bytes(32), random), INVALID)
  })

  it('refuses a foreign envelope', () => {
    const pathKey = random.bytes(32)
    const nonce = new Uint8Array(12)
    const body = new Uint8Array(40)
    for (const envelope of [
      { version: 2, nonce, body },
      { version: 1, nonce, body, more: 1 },
      { version: 1, nonce: new Uint8Array(11), body },
      { version: 1, nonce, body: new Uint8Array(15) },
      { version: 1, nonce, body: 'text' },
      [1, nonce, body]
    ]) {
      assert.throws(() => openManifest(encodeDocument(envelope), pathKey), INVALID)
    }
  })
})
