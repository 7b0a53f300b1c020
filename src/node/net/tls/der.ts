/**
 * DER (X.690), as much as one X.509 certificate takes: building values, and walking over bytes that OpenSSL has
 * already accepted as a certificate. node:crypto reads certificates but neither makes them nor shows their extensions.
 * The kept library for both, @peculiar/x509, costs 21 packages, 90 ms of start and 20 MiB per process for these lines.
 */
import { concat } from '../../../base/bytes.ts'

export const BOOLEAN = 0x01
export const INTEGER = 0x02
export const BIT_STRING = 0x03
export const OCTET_STRING = 0x04
export const OBJECT_ID = 0x06
export const UTF8_STRING = 0x0c
export const UTC_TIME = 0x17
export const GENERALIZED_TIME = 0x18
export const SEQUENCE = 0x30
export const SET = 0x31

/** The constructed context tag [number], number below 31. */
export function contextTag(number: number): number {
  return 0xa0 | number
}

const LONG_FORM = 0x80
/** Tag numbers from 31 on take more bytes; X.509 has none. */
const HIGH_TAG = 0x1f
const LENGTH_BYTES_MAX = 3

export interface DerValue {
  tag: number
  /** A view of the content. */
  body: Uint8Array
  /** A view of the whole value: tag, length and content. */
  raw: Uint8Array
}

/** One value with the parts as its content. */
export function derValue(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts)
  return concat(Uint8Array.of(tag), lengthBytes(body.length), body)
}

/** The values that fill `bytes` exactly, as views. @throws RangeError on anything but minimal DER */
export function derValues(bytes: Uint8Array): DerValue[] {
  const values: DerValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const value = valueAt(bytes, at)
    values.push(value)
    at += value.raw.length
  }
  return values
}

/** The values inside a constructed value. @throws RangeError on another tag or anything but minimal DER */
export function derChildren(value: DerValue | undefined, tag: number): DerValue[] {
  return derValues(derBody(value, tag))
}

/** The content of a value. @throws RangeError on another tag or no value */
export function derBody(value: DerValue | undefined, tag: number): Uint8Array {
  if (value?.tag !== tag) throw new RangeError(`DER tag ${value?.tag}, ${tag} expected`)
  return value.body
}

function lengthBytes(length: number): Uint8Array {
  if (length < LONG_FORM) return Uint8Array.of(length)
  const digits: number[] = []
  for (let rest = length; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff)
  return Uint8Array.of(LONG_FORM | digits.length, ...digits)
}

function valueAt(bytes: Uint8Array, at: number): DerValue {
  const tag = byteAt(bytes, at)
  if ((tag & HIGH_TAG) === HIGH_TAG) throw new RangeError('DER tag of more than one byte')
  let bodyAt = at + 2
  let length = byteAt(bytes, at + 1)
  if (length >= LONG_FORM) {
    const digits = length - LONG_FORM
    // none would be BER's indefinite form
    if (digits === 0 || digits > LENGTH_BYTES_MAX) throw new RangeError('DER length out of range')
    length = 0
    for (let i = 0; i < digits; i += 1) length = length * 256 + byteAt(bytes, bodyAt + i)
    if (lengthBytes(length).length !== 1 + digits) throw new RangeError('DER length not minimal')
    bodyAt += digits
  }
  const end = bodyAt + length
  if (end > bytes.length) throw new RangeError('DER value cut off')
  return { tag, body: bytes.subarray(bodyAt, end), raw: bytes.subarray(at, end) }
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw new RangeError('DER value cut off')
  return byte
}
