/** A state tree in memory, and the definition of its root as the oracle. */
import { toHex } from '../../src/base/bytes.ts'
import { type Hash, sha256, ZERO_HASH } from '../../src/base/hash.ts'
import {
  bitAt,
  innerHash,
  leafHash,
  type NodeStore,
  type TreeNode
} from '../../src/ledger/state/tree.ts'
import { flipped, type TestRandom } from '../proofs/random.ts'

export class MemoryNodes implements NodeStore {
  readonly nodes: Map<string, TreeNode> = new Map()
  reads = 0

  read(path: Uint8Array, depth: number): TreeNode | undefined {
    this.reads++
    return this.nodes.get(bitsOf(path, depth))
  }

  write(path: Uint8Array, depth: number, node: TreeNode | undefined): void {
    if (node === undefined) this.nodes.delete(bitsOf(path, depth))
    else this.nodes.set(bitsOf(path, depth), node)
  }
}

function bitsOf(path: Uint8Array, depth: number): string {
  const whole = depth >> 3
  return `${depth} ${toHex(path.subarray(0, whole))} ${(path[whole] ?? 0) >> (8 - (depth & 7))}`
}

export interface Pair {
  key: Hash
  valueHash: Hash
}

/** The definition, from all pairs at once. */
export function naiveRoot(pairs: readonly Pair[], depth = 0): Hash {
  if (pairs.length === 0) return ZERO_HASH
  if (pairs.length === 1) return leafHash(pairs[0]!.key, pairs[0]!.valueHash)
  const half = (bit: number) => pairs.filter(({ key }) => bitAt(key, depth) === bit)
  return innerHash(naiveRoot(half(0), depth + 1), naiveRoot(half(1), depth + 1))
}

/** Keys that share long prefixes now and then, so that paths get deep. */
export function randomKey(random: TestRandom, near?: Hash): Hash {
  if (near === undefined || random.int(3) > 0) return sha256(random.bytes(8))
  return flipped(near, random.int(256))
}

/** At most `count`, with different keys. */
export function randomPairs(random: TestRandom, count: number): Pair[] {
  const pairs = new Map<string, Pair>()
  let near: Hash | undefined
  for (let i = 0; i < count; i++) {
    near = randomKey(random, near)
    pairs.set(toHex(near), { key: near, valueHash: random.bytes(32) })
  }
  return [...pairs.values()]
}
