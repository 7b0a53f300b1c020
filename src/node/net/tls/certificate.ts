/**
 * The certificate we show (libp2p TLS specification, "Peer Authentication"): X.509 v3, self-signed with a P-256 key of
 * its own, with the peer's public key and its signature over the certificate's key in the libp2p extension.
 */
import { generateKeyPairSync, type KeyPairKeyObjectResult, randomBytes, sign } from 'node:crypto'
import { publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { concat, fromHex, utf8, view } from '../../../base/bytes.ts'
import {
  BIT_STRING,
  BOOLEAN,
  contextTag,
  derValue,
  GENERALIZED_TIME,
  INTEGER,
  OBJECT_ID,
  OCTET_STRING,
  SEQUENCE,
  SET,
  UTC_TIME,
  UTF8_STRING
} from './der.ts'
import { CERTIFICATE_SKEW_MS, CERTIFICATE_VALIDITY_MS } from './limits.ts'

/** 1.3.6.1.4.1.53594.1.1, allocated to libp2p. */
export const LIBP2P_EXTENSION_OID = '2b0601040183a25a0101'
const ECDSA_WITH_SHA256_OID = '2a8648ce3d040302'
const COMMON_NAME_OID = '550403'

const SIGNED_PREFIX = utf8('libp2p-tls-handshake:')
/** RFC 5280 wants a name that is not empty; nobody reads it. */
const NAME = 'libp2p'
const VERSION_3 = 2
const SERIAL_BYTES = 16
const PEM_LINE_CHARS = 64
/** Up to here X.509 writes years with two digits. */
const UTC_TIME_YEAR_END = 2050

export interface Certificate {
  /** DER. */
  der: Uint8Array
  certPem: string
  /** PKCS #8. */
  keyPem: string
}

/** A fresh key and a certificate for `peerKey`, valid at `nowMs`. */
export async function makeCertificate(peerKey: PrivateKey, nowMs: number): Promise<Certificate> {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signature = await peerKey.sign(signedBytes(keyInfoOf(keys)))
  const content = signedKey(publicKeyToProtobuf(peerKey.publicKey), signature)
  return selfSigned(keys, [extension(LIBP2P_EXTENSION_OID, true, content)], nowMs)
}

/** What the peer signs: a prefix and the certificate's key as DER SubjectPublicKeyInfo. */
export function signedBytes(keyInfo: Uint8Array): Uint8Array {
  return concat(SIGNED_PREFIX, keyInfo)
}

/** The content of the libp2p extension: a public key as protobuf and its signature over signedBytes. */
export function signedKey(peerKey: Uint8Array, signature: Uint8Array): Uint8Array {
  return derValue(SEQUENCE, derValue(OCTET_STRING, peerKey), derValue(OCTET_STRING, signature))
}

/** @param oid the object identifier as the hex of its DER content */
export function extension(oid: string, critical: boolean, content: Uint8Array): Uint8Array {
  const flag = critical ? derValue(BOOLEAN, Uint8Array.of(0xff)) : new Uint8Array(0)
  return derValue(SEQUENCE, objectId(oid), flag, derValue(OCTET_STRING, content))
}

/** A certificate of a P-256 key by itself, with these extensions. */
export function selfSigned(
  keys: KeyPairKeyObjectResult,
  extensions: readonly Uint8Array[],
  nowMs: number
): Certificate {
  const algorithm = derValue(SEQUENCE, objectId(ECDSA_WITH_SHA256_OID))
  const notBefore = new Date(nowMs - CERTIFICATE_SKEW_MS)
  const notAfter = new Date(nowMs + CERTIFICATE_VALIDITY_MS)
  const body = derValue(
    SEQUENCE,
    derValue(contextTag(0), derValue(INTEGER, Uint8Array.of(VERSION_3))),
    derValue(INTEGER, serialNumber()),
    algorithm,
    name(),
    derValue(SEQUENCE, time(notBefore), time(notAfter)),
    name(),
    keyInfoOf(keys),
    derValue(contextTag(3), derValue(SEQUENCE, ...extensions))
  )
  const signature = sign('sha256', body, keys.privateKey)
  // a BIT STRING starts with the number of its unused bits
  const der = derValue(SEQUENCE, body, algorithm, derValue(BIT_STRING, Uint8Array.of(0), signature))
  return {
    der,
    certPem: pem('CERTIFICATE', der),
    keyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  }
}

export function keyInfoOf({ publicKey }: KeyPairKeyObjectResult): Uint8Array {
  return publicKey.export({ type: 'spki', format: 'der' })
}

function name(): Uint8Array {
  const attribute = derValue(SEQUENCE, objectId(COMMON_NAME_OID), derValue(UTF8_STRING, utf8(NAME)))
  return derValue(SEQUENCE, derValue(SET, attribute))
}

function objectId(hex: string): Uint8Array {
  return derValue(OBJECT_ID, fromHex(hex))
}

/** Positive and minimal: the first byte between 1 and 127. */
function serialNumber(): Uint8Array {
  const serial = randomBytes(SERIAL_BYTES)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  return serial
}

/** RFC 5280 §4.1.2.5: seconds, in UTC. */
function time(date: Date): Uint8Array {
  const digits = date.toISOString().replace(/\.\d+|[-:T]/g, '')
  if (date.getUTCFullYear() < UTC_TIME_YEAR_END) return derValue(UTC_TIME, utf8(digits.slice(2)))
  return derValue(GENERALIZED_TIME, utf8(digits))
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    view(der)
      .toString('base64')
      .match(new RegExp(`.{1,${PEM_LINE_CHARS}}`, 'g')) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
