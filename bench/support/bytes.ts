/** Pseudo-random bytes: the same ones every time, and nothing that a disk or a cipher could make small. */
import { createCipheriv } from 'node:crypto'
import { MIB } from '../../src/base/limits.ts'

const KEY = new Uint8Array(32).fill(7)
const ZEROS = new Uint8Array(MIB)

/** The key stream of AES-256-CTR; `series` tells streams apart. */
function stream(series: number): (length: number) => Uint8Array {
  const nonce = Buffer.alloc(16)
  nonce.writeUInt32BE(series)
  const cipher = createCipheriv('aes-256-ctr', KEY, nonce)
  return length => cipher.update(ZEROS.subarray(0, length))
}

export function randomBytes(length: number, series = 0): Uint8Array {
  const out = new Uint8Array(length)
  const next = stream(series)
  for (let at = 0; at < length; at += MIB) out.set(next(Math.min(MIB, length - at)), at)
  return out
}

/** The same bytes in chunks of 1 MiB, in constant memory. */
export async function* randomStream(length: number, series = 0): AsyncGenerator<Uint8Array> {
  const next = stream(series)
  for (let at = 0; at < length; at += MIB) yield next(Math.min(MIB, length - at))
}
