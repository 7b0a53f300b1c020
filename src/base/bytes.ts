/** Small helpers over Uint8Array. All copy unless they say "view". */

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compare(a, b) === 0
}

/** Lexicographic order; shorter first on a common prefix. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

export function toHex(bytes: Uint8Array): string {
  return view(bytes).toString('hex')
}

/** @throws RangeError on anything but an even number of hex digits */
export function fromHex(hex: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/i.test(hex)) throw new RangeError('not hexadecimal')
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** @throws TypeError on invalid UTF-8 */
export function fromUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}

/** The same memory as a Buffer (a view). */
export function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** 8 bytes, big-endian: sorts like the number. */
export function u64be(value: bigint | number): Uint8Array {
  const out = Buffer.alloc(8)
  out.writeBigUInt64BE(BigInt(value))
  return new Uint8Array(out.buffer, out.byteOffset, 8)
}
