/**
 * Proofs that some leaves are all leaves of the state tree between two others. The path to the leaf right below the
 * range brings the hashes of everything to its left, the path to the last leaf of the range those of everything to
 * its right; all nodes in between are computed from the leaves, so a leaf left out or added gives another root.
 */
import { compare, equal } from '../../base/bytes.ts'
import { type Hash, ZERO_HASH } from '../../base/hash.ts'
import { HASH_BYTES } from '../../base/limits.ts'
import { bitAt, innerHash, leafHash, type NodeStore } from './tree.ts'
import { proveKey } from './tree-proof.ts'

export interface RangeLeaf {
  key: Hash
  valueHash: Hash
}

/** A path to a leaf, with the siblings on one side of it. */
export interface RangeEdge {
  /** Inner nodes on the path, at most 256. */
  depth: number
  /** From the root down, one for every step towards the other side. */
  siblings: Hash[]
}

export interface RangeProof {
  /** The leaf right below the range and what is left of it; absent when the range starts with the first leaf. */
  below?: { leaf: RangeLeaf; edge: RangeEdge }
  /** What is right of the last leaf of the range; absent when that is the last leaf of all. */
  above?: RangeEdge
}

const DEPTH_MAX = HASH_BYTES * 8
const LEFT = 0
const RIGHT = 1

/**
 * Proves the leaves above `after` (absent: from the first) up to and including `last` (absent: to the last). Both are
 * keys of the tree.
 */
export function proveRange(store: NodeStore, range: { after?: Hash; last?: Hash }): RangeProof {
  const proof: RangeProof = {}
  if (range.after !== undefined) {
    const { leaf, siblings } = proveKey(store, range.after)
    const edge = { depth: siblings.length, siblings: outer(range.after, siblings, LEFT) }
    proof.below = { leaf: leaf!, edge }
  }
  if (range.last !== undefined) {
    const { siblings } = proveKey(store, range.last)
    proof.above = { depth: siblings.length, siblings: outer(range.last, siblings, RIGHT) }
  }
  return proof
}

/**
 * True if `leaves` are all leaves of the tree with this root in the proof's range.
 * @param leaves at least one, of any origin
 */
export function verifyRange(root: Hash, leaves: readonly RangeLeaf[], proof: RangeProof): boolean {
  const { below, above } = proof
  const all = below === undefined ? [...leaves] : [below.leaf, ...leaves]
  if (leaves.length === 0 || !ascending(all)) return false
  const lower = below && boundOf(below.leaf.key, below.edge, LEFT)
  const upper = above && boundOf(all.at(-1)!.key, above, RIGHT)
  if (below !== undefined && lower === undefined) return false
  if (above !== undefined && upper === undefined) return false
  // a last leaf that has nothing to its right needs no edge
  if (above?.siblings.every(hash => equal(hash, ZERO_HASH))) return false
  const hash = hashOf(0, { leaves: all, lower, upper })
  return hash !== undefined && equal(hash, root)
}

interface Bound {
  key: Hash
  depth: number
  side: number
  /** By depth; what the path leaves behind on the outer side. */
  siblings: ReadonlyMap<number, Hash>
}

interface Part {
  leaves: readonly RangeLeaf[]
  /** Present where the path of the bound goes through this part. */
  lower: Bound | undefined
  upper: Bound | undefined
}

/** Hash of the node at `depth` over a part of the range; undefined when the edges cannot be. */
function hashOf(depth: number, part: Part): Hash | undefined {
  const { leaves, lower, upper } = part
  if (lower === undefined && upper === undefined) return hashOfAll(depth, leaves)
  if (lower?.depth === depth || upper?.depth === depth) return loneLeaf(depth, part)
  const split = splitAt(leaves, depth)
  const left = childHash(depth, LEFT, { ...part, leaves: leaves.slice(0, split) })
  const right = childHash(depth, RIGHT, { ...part, leaves: leaves.slice(split) })
  return left && right && innerHash(left, right)
}

/** Here a path ends: with the bound's own leaf and nothing else. */
function loneLeaf(depth: number, { leaves, lower, upper }: Part): Hash | undefined {
  const [leaf] = leaves
  const ends = (bound: Bound | undefined): boolean =>
    bound === undefined || (bound.depth === depth && equal(bound.key, leaf!.key))
  if (leaf === undefined || leaves.length > 1 || !ends(lower) || !ends(upper)) return undefined
  return leafHash(leaf.key, leaf.valueHash)
}

function childHash(depth: number, side: number, part: Part): Hash | undefined {
  for (const bound of [part.lower, part.upper]) {
    // the path turns away from its own outer side: that child is the sibling it brought
    if (bound !== undefined && bound.side === side && bitAt(bound.key, depth) !== side) {
      return part.leaves.length === 0 ? bound.siblings.get(depth) : undefined
    }
  }
  const through = (bound: Bound | undefined): Bound | undefined =>
    bound !== undefined && bitAt(bound.key, depth) === side ? bound : undefined
  return hashOf(depth + 1, {
    leaves: part.leaves,
    lower: through(part.lower),
    upper: through(part.upper)
  })
}

/** The definition of the tree, over all leaves of a subtree. */
function hashOfAll(depth: number, leaves: readonly RangeLeaf[]): Hash {
  if (leaves.length === 0) return ZERO_HASH
  if (leaves.length === 1) return leafHash(leaves[0]!.key, leaves[0]!.valueHash)
  const split = splitAt(leaves, depth)
  return innerHash(
    hashOfAll(depth + 1, leaves.slice(0, split)),
    hashOfAll(depth + 1, leaves.slice(split))
  )
}

/** Index of the first key whose bit at `depth` is 1; the keys share all bits before it. */
function splitAt(leaves: readonly RangeLeaf[], depth: number): number {
  let [low, high] = [0, leaves.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (bitAt(leaves[middle]!.key, depth) === 1) high = middle
    else low = middle + 1
  }
  return low
}

function ascending(leaves: readonly RangeLeaf[]): boolean {
  return leaves.every(({ key }, i) => i === 0 || compare(leaves[i - 1]!.key, key) < 0)
}

/** Siblings on one side of a path. */
function outer(key: Hash, siblings: readonly Hash[], side: number): Hash[] {
  return siblings.filter((_, depth) => bitAt(key, depth) !== side)
}

function boundOf(key: Hash, { depth, siblings }: RangeEdge, side: number): Bound | undefined {
  if (depth > DEPTH_MAX) return undefined
  const byDepth = new Map<number, Hash>()
  for (let d = 0; d < depth; d++) {
    if (bitAt(key, d) === side) continue
    const sibling = siblings[byDepth.size]
    if (sibling === undefined) return undefined
    byDepth.set(d, sibling)
  }
  return byDepth.size === siblings.length ? { key, depth, side, siblings: byDepth } : undefined
}
