/**
 * Checksums of a piece: CRC-32 (zlib) of every 16 KiB group, 4 bytes little-endian each. They find rot on the disk, not
 * lies: against those stands the piece root.
 */
import { crc32 } from 'node:zlib'
import { assert } from '../base/assert.ts'
import { view } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { GROUP_BYTES } from '../base/limits.ts'

const CRC_BYTES = 4

export function groupsOf(pieceBytes: number): number {
  return Math.ceil(pieceBytes / GROUP_BYTES)
}

/** Takes a piece in chunks of any length. */
export class GroupChecksums {
  readonly #crcs: Buffer
  readonly #pieceBytes: number
  #seenBytes = 0

  constructor(pieceBytes: number) {
    this.#pieceBytes = pieceBytes
    this.#crcs = Buffer.alloc(CRC_BYTES * groupsOf(pieceBytes))
  }

  get seenBytes(): number {
    return this.#seenBytes
  }

  update(chunk: Uint8Array): void {
    assert(this.#seenBytes + chunk.length <= this.#pieceBytes, 'more bytes than the piece has')
    let taken = 0
    while (taken < chunk.length) {
      const at = CRC_BYTES * Math.floor(this.#seenBytes / GROUP_BYTES)
      const missingBytes = GROUP_BYTES - (this.#seenBytes % GROUP_BYTES)
      const part = chunk.subarray(taken, taken + missingBytes)
      this.#crcs.writeUInt32LE(crc32(part, this.#crcs.readUInt32LE(at)), at)
      this.#seenBytes += part.length
      taken += part.length
    }
  }

  /** 4 bytes for each group, in order. */
  digest(): Uint8Array {
    assert(this.#seenBytes === this.#pieceBytes, 'the whole piece has been seen')
    return new Uint8Array(this.#crcs)
  }
}

/** Where groups lie in a piece. @throws HoldfastError RANGE_INVALID unless at least one group, all within the piece */
export function groupExtent(
  pieceBytes: number,
  firstGroup: number,
  groups: number
): { offset: number; bytes: number } {
  const fits = Number.isInteger(firstGroup) && Number.isInteger(groups) && firstGroup >= 0
  if (!fits || groups < 1 || firstGroup + groups > groupsOf(pieceBytes)) {
    throw new HoldfastError(
      'RANGE_INVALID',
      `groups ${firstGroup}+${groups} of a piece of ${groupsOf(pieceBytes)}`
    )
  }
  const offset = firstGroup * GROUP_BYTES
  return { offset, bytes: Math.min(groups * GROUP_BYTES, pieceBytes - offset) }
}

/** Indexes within the piece of the groups in `bytes` that do not match the digest of the piece. */
export function damagedGroups(bytes: Uint8Array, firstGroup: number, digest: Uint8Array): number[] {
  const crcs = view(digest)
  const damaged: number[] = []
  for (let offset = 0; offset < bytes.length; offset += GROUP_BYTES) {
    const group = firstGroup + offset / GROUP_BYTES
    const expected = crcs.readUInt32LE(CRC_BYTES * group)
    if (crc32(bytes.subarray(offset, offset + GROUP_BYTES)) !== expected) damaged.push(group)
  }
  return damaged
}
