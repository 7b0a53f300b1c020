import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { fromHex } from '../../../src/base/bytes.ts'
import { HoldfastError } from '../../../src/base/errors.ts'
import {
  type Certificate,
  extension,
  keyInfoOf,
  LIBP2P_EXTENSION_OID,
  makeCertificate,
  selfSigned,
  signedBytes,
  signedKey
} from '../../../src/node/net/tls/certificate.ts'
import { derValue, derValues, OCTET_STRING } from '../../../src/node/net/tls/der.ts'
import { CERTIFICATE_BYTES_MAX, CERTIFICATE_SKEW_MS } from '../../../src/node/net/tls/limits.ts'
import type { RefusalReason } from '../../../src/node/net/tls/refusal.ts'
import { verifyCertificate } from '../../../src/node/net/tls/verify.ts'
import { rejectsWith, SEED, seededRandom } from './support.ts'

const NOW_MS = Date.UTC(2026, 5, 1)
const YEAR_MS = 365 * 24 * 60 * 60_000
/** keyUsage, an extension of RFC 5280 that libp2p does not use. */
const KEY_USAGE_OID = '551d0f'

const { certificates } = JSON.parse(
  readFileSync(new URL('../../vectors/libp2p-tls.json', import.meta.url), 'utf8')
) as { certificates: { name: string; der: string; peerId: string | null }[] }

describe('node/net/tls certificates', () => {
  for (const { name, der, peerId } of certificates) {
    it(`decides the vector of the specification: ${name}`, async () => {
      // @libp2p/crypto 5.1.23 does not read the ECDSA key of two of them; Holdfast peers have Ed25519 keys
      if (!/^(12D3|16U)/.test(peerId ?? '')) await refused('extension-malformed', fromHex(der))
      else assert.equal(String(await verifyCertificate(fromHex(der), NOW_MS)), peerId)
    })
  }

  for (const type of ['Ed25519', 'secp256k1', 'RSA'] as const) {
    it(`makes certificates that OpenSSL accepts, for ${type} peers`, async () => {
      const key = await generateKeyPair(type)
      const certificate = await makeCertificate(key, NOW_MS)
      const x509 = new X509Certificate(certificate.certPem)
      assert.deepEqual(new Uint8Array(x509.raw), certificate.der)
      assert.equal(x509.validFromDate.getTime(), NOW_MS - CERTIFICATE_SKEW_MS)
      assert.ok(x509.verify(x509.publicKey))
      const peer = peerIdFromPrivateKey(key)
      assert.ok(peer.equals(await verifyCertificate(certificate.der, NOW_MS, peer)))
    })
  }

  it('refuses another peer than the expected one', async () => {
    const [key, other] = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
    const { der } = await makeCertificate(key, NOW_MS)
    const error = await rejectsWith(
      'PROTOCOL_VIOLATION',
      verifyCertificate(der, NOW_MS, peerIdFromPrivateKey(other))
    )
    assert.equal(error.details['reason'], 'wrong-peer')
  })

  it('refuses expired and future certificates', async () => {
    const key = await generateKeyPair('Ed25519')
    await refused('certificate-not-current', await makeCertificate(key, NOW_MS - 101 * YEAR_MS))
    await refused('certificate-not-current', await makeCertificate(key, NOW_MS + YEAR_MS))
  })

  it('refuses what is not signed by its own key', async () => {
    const { der } = await makeCertificate(await generateKeyPair('Ed25519'), NOW_MS)
    der[der.length - 1]! ^= 1
    await refused('certificate-signature', der)
  })

  it('refuses missing, wrong, doubled and malformed extensions', async () => {
    const key = await generateKeyPair('Ed25519')
    const good = await contentFor(key)
    const libp2p = (content: Uint8Array): Uint8Array =>
      extension(LIBP2P_EXTENSION_OID, false, content)
    await refused('extension-missing', forged([]))
    await refused('extension-missing', forged([extension('2b0601040183a25a0102', false, good)]))
    await refused('extension-unknown', forged([libp2p(good), extension(KEY_USAGE_OID, true, good)]))
    await refused('extension-malformed', forged([libp2p(good), libp2p(good)]))
    await refused('extension-malformed', forged([libp2p(new Uint8Array(0))]))
    await refused('extension-malformed', forged([libp2p(Uint8Array.of(0x30, 0x80, 0, 0))]))
    await refused('extension-malformed', forged([libp2p(Buffer.concat([good, good]))]))
    const unknownKey = signedKey(Uint8Array.of(8, 9, 18, 0), new Uint8Array(64))
    await refused('extension-malformed', forged([libp2p(unknownKey)]))
    const long = signedKey(new Uint8Array(3000), new Uint8Array(64))
    await refused('extension-malformed', forged([libp2p(long)]))
  })

  it('refuses keys that do not match, and signatures of a wrong form', async () => {
    const key = await generateKeyPair('Ed25519')
    const libp2p = (content: Uint8Array): Uint8Array[] => [
      extension(LIBP2P_EXTENSION_OID, true, content)
    ]
    await refused('key-mismatch', forged(libp2p(await contentFor(key))))
    const peerKey = publicKeyToProtobuf(key.publicKey)
    await refused('key-mismatch', forged(libp2p(signedKey(peerKey, new Uint8Array(64)))))
    await refused('key-mismatch', forged(libp2p(signedKey(peerKey, new Uint8Array(3)))))
  })

  it('accepts other extensions that are not critical', async () => {
    const key = await generateKeyPair('Ed25519')
    const note = extension(KEY_USAGE_OID, false, derValue(OCTET_STRING))
    const content = await contentFor(key, KEYS)
    const { der } = forged([note, extension(LIBP2P_EXTENSION_OID, false, content)])
    const peer = await verifyCertificate(der, NOW_MS)
    assert.ok(peer.equals(peerIdFromPrivateKey(key)))
  })

  it('answers any bytes with a refusal', async function () {
    this.timeout(20_000)
    const random = seededRandom(SEED)
    const { der } = await makeCertificate(await generateKeyPair('Ed25519'), NOW_MS)
    const original = String(await verifyCertificate(der, NOW_MS))
    for (let round = 0; round < 400; round += 1) {
      const bytes = round % 4 === 0 ? random.bytes(random.below(600)) : Uint8Array.from(der)
      if (round % 4 !== 0) {
        for (let n = 1 + random.below(3); n > 0; n -= 1) {
          bytes[random.below(bytes.length)] = random.below(256)
        }
      }
      const cut = round % 4 === 3 ? bytes.subarray(0, random.below(bytes.length)) : bytes
      try {
        // a byte may be set to what it was
        assert.equal(String(await verifyCertificate(cut, NOW_MS)), original)
      } catch (error) {
        assert.ok(HoldfastError.is(error, 'PROTOCOL_VIOLATION'), `seed ${SEED}: ${String(error)}`)
      }
    }
    await refused('certificate-malformed', new Uint8Array(CERTIFICATE_BYTES_MAX + 1))
    await refused('certificate-malformed', Buffer.concat([der, Uint8Array.of(5, 0)]))
  })

  it('reads DER only in its minimal form', () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
      const [value, ...rest] = derValues(derValue(OCTET_STRING, new Uint8Array(length)))
      assert.deepEqual([value?.tag, value?.body.length, rest.length], [OCTET_STRING, length, 0])
    }
    // cut off; indefinite; not minimal, twice; longer than any certificate; a tag of two bytes
    for (const hex of ['04', '0402ff', '0480', '04817f', '0482007f', '0484ffffffff', '1f8100']) {
      assert.throws(() => derValues(fromHex(hex)), RangeError, hex)
    }
  })
})

const KEYS = generateKeyPairSync('ec', { namedCurve: 'P-256' })

function forged(extensions: Uint8Array[]): Certificate {
  return selfSigned(KEYS, extensions, NOW_MS)
}

/** The extension of `key` for a certificate of `keys`: by default of one that is nowhere else. */
async function contentFor(
  key: PrivateKey,
  keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
): Promise<Uint8Array> {
  const signature = await key.sign(signedBytes(keyInfoOf(keys)))
  return signedKey(publicKeyToProtobuf(key.publicKey), signature)
}

async function refused(
  reason: RefusalReason,
  certificate: Uint8Array | Certificate
): Promise<void> {
  const der = certificate instanceof Uint8Array ? certificate : certificate.der
  const error = await rejectsWith('PROTOCOL_VIOLATION', verifyCertificate(der, NOW_MS))
  assert.equal(error.details['reason'], reason, error.message)
}
