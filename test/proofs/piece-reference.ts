/** Published vectors of piece CIDs, and the piece tree in its plainest form. */
import { readFileSync } from 'node:fs'
import { concat, fromHex, toHex } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { QUAD_BYTES } from '../../src/proofs/piece-cid/piece-kernel.ts'

export interface Vector {
  kind: string
  gen?: string
  input?: string
  output?: string
  size?: number
  paddedSize?: string
  pieceCidV1?: string
  pieceCidV2?: string
  pieceCidV2Derived?: string
}

/** FRC-0069, go-fil-commp-hashhash and others; the source stands in each entry. */
const document = JSON.parse(
  readFileSync(new URL('../vectors/filecoin-piece-cid.json', import.meta.url), 'utf8')
) as { vectors: Vector[] }
export const vectors: readonly Vector[] = document.vectors

/** The root by the book: bits as one number, the whole tree level by level. */
export function referenceRoot(piece: Uint8Array): Uint8Array {
  const quads = 2 ** Math.ceil(Math.log2(Math.max(1, piece.length / QUAD_BYTES)))
  let level: Uint8Array[] = []
  for (let i = 0; i < quads; i++) {
    const quad = piece.subarray(i * QUAD_BYTES, (i + 1) * QUAD_BYTES)
    const bits = BigInt(`0x00${toHex(new Uint8Array(quad).reverse())}`)
    for (let node = 0n; node < 4n; node++) {
      const value = (bits >> (254n * node)) & (2n ** 254n - 1n)
      level.push(fromHex(value.toString(16).padStart(64, '0')).reverse())
    }
  }
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, i) => {
      const node = sha256(concat(level[2 * i]!, level[2 * i + 1]!))
      node[31]! &= 0x3f
      return node
    })
  }
  return level[0]!
}
