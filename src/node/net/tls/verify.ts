/**
 * The certificate a peer shows (libp2p TLS specification, "Peer Authentication"). That the peer holds the certificate's
 * key is TLS's own proof; here: the certificate is current and self-signed, and the peer's key has signed its key.
 */
import { X509Certificate } from 'node:crypto'
import { publicKeyFromProtobuf } from '@libp2p/crypto/keys'
import type { PeerId, PublicKey } from '@libp2p/interface'
import { peerIdFromCID } from '@libp2p/peer-id'
import { toHex } from '../../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../../base/errors.ts'
import { LIBP2P_EXTENSION_OID, signedBytes } from './certificate.ts'
import {
  BOOLEAN,
  contextTag,
  derBody,
  derChildren,
  derValues,
  OBJECT_ID,
  OCTET_STRING,
  SEQUENCE
} from './der.ts'
import { CERTIFICATE_BYTES_MAX, SIGNED_KEY_BYTES_MAX } from './limits.ts'
import { refusal } from './refusal.ts'

/** Version, serial, algorithm, issuer, validity, subject: the key follows, then extensions and nothing else. */
const KEY_INFO_INDEX = 6
const EXTENSIONS_INDEX = 7
const BODY_FIELDS = 8

interface Extension {
  oid: string
  critical: boolean
  content: Uint8Array
}

/**
 * The peer a certificate authenticates.
 * @param der the one certificate the peer has sent
 * @param expected refuses every other peer
 * @throws HoldfastError PROTOCOL_VIOLATION with a RefusalReason in its details
 */
export async function verifyCertificate(
  der: Uint8Array,
  nowMs: number,
  expected?: PeerId
): Promise<PeerId> {
  if (der.length > CERTIFICATE_BYTES_MAX) {
    throw refusal('certificate-malformed', `${der.length} bytes`)
  }
  checkSelf(der, nowMs)
  const { keyInfo, extensions } = parts(der)
  const { publicKey, signature } = signedKey(peerExtension(extensions))
  if (!(await isSignedBy(publicKey, signedBytes(keyInfo), signature))) {
    throw refusal('key-mismatch', 'the peer has not signed the key of this certificate')
  }
  const peerId = peerIdFromCID(publicKey.toCID())
  if (expected !== undefined && !expected.equals(peerId)) {
    throw refusal('wrong-peer', `${peerId.toString()} instead of ${expected.toString()}`)
  }
  return peerId
}

function checkSelf(der: Uint8Array, nowMs: number): void {
  const certificate = malformedUnless('certificate-malformed', () => new X509Certificate(der))
  const { validFromDate, validToDate } = certificate
  // a date that cannot be read is NaN and fits no range
  if (!(validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime())) {
    const { validFrom, validTo } = certificate
    throw refusal('certificate-not-current', `valid from ${validFrom} to ${validTo}`)
  }
  const isSelfSigned = malformedUnless('certificate-signature', () =>
    certificate.verify(certificate.publicKey)
  )
  if (!isSelfSigned) throw refusal('certificate-signature', 'not signed by its own key')
}

function parts(der: Uint8Array): { keyInfo: Uint8Array; extensions: Extension[] } {
  return malformedUnless('certificate-malformed', () => {
    const outer = derValues(der)
    if (outer.length !== 1) throw new RangeError('bytes after the certificate')
    const body = derChildren(derChildren(outer[0], SEQUENCE)[0], SEQUENCE)
    // the version may be left out: what is read below must be what OpenSSL reads
    derBody(body[0], contextTag(0))
    derBody(body[KEY_INFO_INDEX], SEQUENCE)
    // the deprecated unique ids would stand before the extensions
    if (body.length > BODY_FIELDS) throw new RangeError('fields that no peer may send')
    const last = body[EXTENSIONS_INDEX]
    const list =
      last === undefined ? [] : derChildren(derChildren(last, contextTag(3))[0], SEQUENCE)
    const extensions = list.map(value => extensionOf(derChildren(value, SEQUENCE)))
    return { keyInfo: body[KEY_INFO_INDEX]!.raw, extensions }
  })
}

function extensionOf(fields: ReturnType<typeof derValues>): Extension {
  const critical = fields.length === 3 ? derBody(fields[1], BOOLEAN)[0] !== 0 : false
  return {
    oid: toHex(derBody(fields[0], OBJECT_ID)),
    critical,
    content: derBody(fields.at(-1), OCTET_STRING)
  }
}

function peerExtension(extensions: readonly Extension[]): Extension {
  const ours = extensions.filter(({ oid }) => oid === LIBP2P_EXTENSION_OID)
  const unknown = extensions.find(({ oid, critical }) => critical && oid !== LIBP2P_EXTENSION_OID)
  if (unknown !== undefined) throw refusal('extension-unknown', `critical ${unknown.oid}`)
  const [found, second] = ours
  if (found === undefined) throw refusal('extension-missing', 'no libp2p public key')
  if (second !== undefined) throw refusal('extension-malformed', 'more than one libp2p public key')
  return found
}

function signedKey(extension: Extension): { publicKey: PublicKey; signature: Uint8Array } {
  return malformedUnless('extension-malformed', () => {
    const outer = derValues(extension.content)
    const fields = derChildren(outer[0], SEQUENCE)
    if (outer.length !== 1 || fields.length !== 2) throw new RangeError('not one SignedKey')
    const [key, signature] = fields.map(field => derBody(field, OCTET_STRING))
    if (Math.max(key!.length, signature!.length) > SIGNED_KEY_BYTES_MAX) {
      throw new RangeError('key or signature too long')
    }
    return { publicKey: publicKeyFromProtobuf(key!), signature: signature! }
  })
}

/** libp2p's keys throw on signatures of a wrong form. */
async function isSignedBy(
  publicKey: PublicKey,
  bytes: Uint8Array,
  signature: Uint8Array
): Promise<boolean> {
  try {
    return await publicKey.verify(bytes, signature)
  } catch {
    return false
  }
}

function malformedUnless<T>(reason: Parameters<typeof refusal>[0], read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (HoldfastError.is(error)) throw error
    throw refusal(reason, messageOf(error), error)
  }
}
