/**
 * A PieceId is CIDv1(raw, blake3): the piece root as other tools write it. Inside Holdfast the 32-byte root is used;
 * the text form appears at the edges (CLI, JSON, logs). Roots: BLAKE3 of the piece, 32 bytes.
 */
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create } from 'multiformats/hashes/digest'
import { HoldfastError } from './errors.ts'
import { HASH_BYTES } from './limits.ts'

const BLAKE3_CODE = 0x1e

/** The base32 text of the CID, starting with "bafkr4i". */
export function pieceIdOf(root: Uint8Array): string {
  return CID.createV1(raw.code, create(BLAKE3_CODE, root)).toString()
}

/** @throws HoldfastError INVALID_ARGUMENT unless CIDv1, raw, blake3 with 32 bytes */
export function rootOfPieceId(text: string): Uint8Array {
  let cid: CID
  try {
    cid = CID.parse(text)
  } catch (cause) {
    throw new HoldfastError('INVALID_ARGUMENT', `not a piece id: ${text}`, { cause })
  }
  const { code, digest } = cid.multihash
  if (
    cid.version !== 1 ||
    cid.code !== raw.code ||
    code !== BLAKE3_CODE ||
    digest.length !== HASH_BYTES
  ) {
    throw new HoldfastError('INVALID_ARGUMENT', `not a piece id (CIDv1, raw, blake3): ${text}`)
  }
  return digest
}
