/**
 * Golden vectors of everything that is stored or named by its bytes. A change here makes old objects unreadable: it
 * is a decision, made with HOLDFAST_UPDATE_VECTORS=1 and a new format version, not a repair.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { createErasureCode } from '../../src/storage/erasure.ts'
import { createKeyring, wrapKey } from '../../src/storage/keyring.ts'
import { segmentLayout } from '../../src/storage/layout.ts'
import {
  type Manifest,
  manifestCid,
  openManifest,
  sealManifest
} from '../../src/storage/manifest.ts'
import { parseProfile } from '../../src/storage/profile.ts'
import { arenaBytes, createSegmentEncoder, piecesIn } from '../../src/storage/segment-encoder.ts'

const FILE = join(import.meta.dirname, '..', 'vectors', 'storage.json')
const SECRET = counting(32, 1)
const PATHS = ['/', '/a', '/a/b', '/ab', '/photos/2024/cat.jpg', '/\u00e9']
const SEGMENTS: [profile: string, plainBytes: number][] = [
  ['1/2', 1],
  ['4/8', 100],
  ['4/8', 300_000],
  ['4/10', 262_128],
  ['10/30', 4097],
  ['29/80', 500_000]
]

/** first, first+1, ... modulo 251, so that no power of two is a period */
function counting(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (first + i) % 251)
}

const fixedRandom = { bytes: (length: number): Uint8Array => counting(length, 100) }

async function segmentVector(profileText: string, plainBytes: number): Promise<object> {
  const profile = parseProfile(profileText)
  const layout = segmentLayout(profile, plainBytes)
  const plain = counting(plainBytes, 0)
  const pieces = piecesIn(new Uint8Array(arenaBytes(layout)), layout)
  const code = await createErasureCode(profile)
  const encoder = createSegmentEncoder({ layout, code, key: counting(32, 7), plain, pieces })
  for (let stripe = 0; stripe < layout.stripes; stripe++) encoder.encodeStripe(stripe)
  return {
    profile: profileText,
    plainBytes,
    pieceBytes: layout.pieceBytes,
    pieces: pieces.map(piece => toHex(layout.pieceBytes <= 32 ? piece : sha256(piece)))
  }
}

function manifestExample(pathKey: Uint8Array): Manifest {
  const profile = { k: 1, n: 2 }
  const pieces = [1, 2].map(i => ({
    root: counting(32, i),
    provider: counting(32, 10 * i),
    deal: counting(32, 20 * i)
  }))
  const segment = (bytes: number): Manifest['segments'][number] => ({
    bytes,
    wrappedKey: wrapKey(pathKey, counting(32, 7), fixedRandom),
    pieceBytes: segmentLayout(profile, bytes).pieceBytes,
    pieces
  })
  return {
    version: 1,
    bytes: 70_001,
    modifiedMs: 1_700_000_000_123,
    profile,
    segmentBytes: 70_000,
    segments: [segment(70_000), segment(1)]
  }
}

describe('golden vectors of storage', () => {
  it('encodes segments, derives keys and seals manifests as ever', async () => {
    const keyring = createKeyring(SECRET)
    const pathKey = keyring.pathKey('/a/b')
    const manifest = manifestExample(pathKey)
    const sealed = sealManifest(manifest, pathKey, fixedRandom)
    const computed = {
      segments: await Promise.all(SEGMENTS.map(args => segmentVector(...args))),
      pathKeys: PATHS.map(path => ({ path, key: toHex(keyring.pathKey(path)) })),
      wrappedKey: toHex(manifest.segments[0]!.wrappedKey),
      manifest: { sealed: toHex(sealed), cid: manifestCid(sealed) }
    }
    if (process.env['HOLDFAST_UPDATE_VECTORS'] === '1') {
      await writeFile(FILE, `${JSON.stringify(computed, null, 2)}\n`)
    }
    assert.deepEqual(computed, JSON.parse(await readFile(FILE, 'utf8')))
    assert.deepEqual(openManifest(sealed, pathKey), manifest)
  })
})
