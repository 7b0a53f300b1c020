/** Evidence that the ledger has forked: two final blocks of one height, and who signed both. */
import { equal, toHex } from '../../base/bytes.ts'
import { blockHashOf } from '../block.ts'
import type { NetworkId } from '../types/network.ts'
import { container, decodeStrict, type Ssz } from '../types/ssz.ts'
import { check, checkLightBlock } from './check.ts'
import { LIGHT_BLOCK_BYTES_MAX, type LightBlock, lightBlockType } from './types.ts'

export interface Fork {
  first: LightBlock
  second: LightBlock
}

/** A validator's signatures under two finalizations of one view: what evidence against it needs. */
export interface DoubleFinalize {
  /** 32-byte vote key. */
  publicKey: Uint8Array
  height: bigint
  view: bigint
  first: { blockHash: Uint8Array; signature: Uint8Array }
  second: { blockHash: Uint8Array; signature: Uint8Array }
}

export const forkType: Ssz<Fork> = container<Fork>('Fork', {
  first: lightBlockType,
  second: lightBlockType
})

export const FORK_BYTES_MAX: number = 2 * LIGHT_BLOCK_BYTES_MAX + 8

/** In an order of its own: whoever finds the fork has the same bytes. */
export function forkOf(a: LightBlock, b: LightBlock): Fork {
  const ordered = toHex(blockHashOf(a.header)) < toHex(blockHashOf(b.header))
  return ordered ? { first: a, second: b } : { first: b, second: a }
}

export function encodeFork(fork: Fork): Uint8Array {
  return forkType.serialize(fork)
}

/** @throws HoldfastError BLOCK_INVALID */
export function decodeFork(bytes: Uint8Array): Fork {
  return decodeStrict(forkType, bytes, 'fork', 'BLOCK_INVALID')
}

/**
 * Those who signed both sides in one view. Across views the finalizations alone convict nobody: the votes between do.
 * @throws HoldfastError BLOCK_INVALID when the two are not final blocks of one height, or the same
 */
export function doubleFinalizers(network: NetworkId, { first, second }: Fork): DoubleFinalize[] {
  check(first.header.height === second.header.height, 'is of another height than the other')
  const hashes = [blockHashOf(first.header), blockHashOf(second.header)] as const
  check(!equal(...hashes), 'is the same as the other')
  checkLightBlock(first, network)
  checkLightBlock(second, network)
  if (first.cert.view !== second.cert.view) return []
  const theirs = signaturesOf(second)
  const found: DoubleFinalize[] = []
  for (const [id, mine] of signaturesOf(first)) {
    const other = theirs.get(id)
    if (other === undefined) continue
    found.push({
      publicKey: mine.publicKey,
      height: first.header.height,
      view: first.cert.view,
      first: { blockHash: hashes[0], signature: mine.signature },
      second: { blockHash: hashes[1], signature: other.signature }
    })
  }
  return found
}

function signaturesOf({
  cert,
  validators
}: LightBlock): Map<string, { publicKey: Uint8Array; signature: Uint8Array }> {
  const signers = validators.filter((_, index) => cert.signers.get(index))
  return new Map(
    signers.map(({ publicKey }, i) => [
      toHex(publicKey),
      { publicKey, signature: cert.signatures[i]! }
    ])
  )
}
