/**
 * Small helpers over Uint8Array. All copy unless they say "view". All but `view` also run where there is no Buffer.
 */

const { Buffer: found } = globalThis as { Buffer?: typeof Buffer }
/** Undefined outside of Node, and where something else bears the name. */
const NodeBuffer: typeof Buffer | undefined = found?.compare === undefined ? undefined : found

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
  if (NodeBuffer !== undefined) return NodeBuffer.compare(a, b)
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1
  return Math.sign(a.length - b.length)
}

export function toHex(bytes: Uint8Array): string {
  if (NodeBuffer !== undefined) return view(bytes).toString('hex')
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

/** @throws RangeError on anything but an even number of hex digits */
export function fromHex(hex: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/i.test(hex)) throw new RangeError('not hexadecimal')
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  )
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
  const out = new Uint8Array(8)
  const number = BigInt(value)
  if (number < 0n || number >= 1n << 64n) throw new RangeError('u64 out of range')
  new DataView(out.buffer).setBigUint64(0, number)
  return out
}
