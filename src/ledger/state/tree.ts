/**
 * The state tree: a compact binary sparse Merkle tree over 32-byte keys, hashed as in the Jellyfish Merkle tree.
 *
 *   leaf  = sha256(0x00 || key || valueHash)      inner = sha256(0x01 || left || right)
 *   empty = 32 zero bytes                         a subtree with one leaf is that leaf
 *
 * Nodes are known by their path, the first `depth` bits of any key below them, and overwritten in place; an update of m
 * of n keys touches O(m log n) nodes.
 */
import { assert } from '../../base/assert.ts'
import { compare, equal } from '../../base/bytes.ts'
import { type Hash, sha256, ZERO_HASH } from '../../base/hash.ts'
import { HASH_BYTES } from '../../base/limits.ts'

export interface NodeStore {
  /** @param path whose first `depth` bits count */
  read(path: Uint8Array, depth: number): TreeNode | undefined
  /** Absent node: delete. */
  write(path: Uint8Array, depth: number, node: TreeNode | undefined): void
}

export interface TreeChange {
  key: Hash
  /** Absent: remove the key. */
  valueHash?: Hash
}

export interface TreeLeaf {
  kind: 'leaf'
  key: Hash
  valueHash: Hash
}

export interface TreeInner {
  kind: 'inner'
  left: Hash
  right: Hash
}

export type TreeNode = TreeLeaf | TreeInner

const LEAF_PREFIX = 0
const INNER_PREFIX = 1
/** One buffer for all: hashing is synchronous, and most of what a block costs. */
const hashed = new Uint8Array(1 + 2 * HASH_BYTES)

export function leafHash(key: Hash, valueHash: Hash): Hash {
  return nodeHash(LEAF_PREFIX, key, valueHash)
}

export function innerHash(left: Hash, right: Hash): Hash {
  return nodeHash(INNER_PREFIX, left, right)
}

function nodeHash(prefix: number, first: Hash, second: Hash): Hash {
  assert(first.length === HASH_BYTES && second.length === HASH_BYTES, 'nodes consist of hashes')
  hashed[0] = prefix
  hashed.set(first, 1)
  hashed.set(second, 1 + HASH_BYTES)
  return sha256(hashed)
}

/** Root of the stored tree; zero when empty. */
export function treeRoot(store: NodeStore): Hash {
  return hashOf(store.read(ZERO_HASH, 0))
}

/**
 * Applies changes and returns the new root. Keys of `changes` must differ; removing an absent key changes nothing.
 */
export function updateTree(store: NodeStore, changes: readonly TreeChange[]): Hash {
  const sorted = [...changes].sort((a, b) => compare(a.key, b.key))
  for (let i = 1; i < sorted.length; i++) {
    assert(compare(sorted[i - 1]!.key, sorted[i]!.key) < 0, 'tree changes repeat a key')
  }
  if (sorted.length === 0) return treeRoot(store)
  const root = update(store, 0, store.read(ZERO_HASH, 0), sorted)
  store.write(sorted[0]!.key, 0, root)
  return hashOf(root)
}

/** The node at `depth` after sorted, non-empty changes that all lie under it. Writes its descendants, not itself. */
function update(
  store: NodeStore,
  depth: number,
  node: TreeNode | undefined,
  changes: readonly TreeChange[]
): TreeNode | undefined {
  if (node?.kind !== 'inner') return build(store, depth, mergeLeaf(node, changes))
  const split = splitAt(changes, depth)
  const left = updateChild(store, depth + 1, node.left, changes.slice(0, split))
  const right = updateChild(store, depth + 1, node.right, changes.slice(split))
  const key = changes[0]!.key
  if (equal(left, ZERO_HASH) || equal(right, ZERO_HASH)) {
    const lone = liftLoneLeaf(store, key, depth, left, right)
    if (lone !== 'inner') return lone
  }
  return { kind: 'inner', left, right }
}

/** New hash of a child; unchanged children are not read. */
function updateChild(
  store: NodeStore,
  depth: number,
  before: Hash,
  changes: readonly TreeChange[]
): Hash {
  if (changes.length === 0) return before
  const key = changes[0]!.key
  const node = equal(before, ZERO_HASH) ? undefined : store.read(key, depth)
  const after = update(store, depth, node, changes)
  store.write(key, depth, after)
  return hashOf(after)
}

/** When at most one leaf is left under an inner node, that leaf takes its place. */
function liftLoneLeaf(
  store: NodeStore,
  key: Hash,
  depth: number,
  left: Hash,
  right: Hash
): TreeNode | undefined | 'inner' {
  if (equal(left, right)) return undefined
  const side = equal(left, ZERO_HASH) ? 1 : 0
  const path = withBit(key, depth, side)
  const child = store.read(path, depth + 1)
  if (child?.kind !== 'leaf') return 'inner'
  store.write(path, depth + 1, undefined)
  return child
}

/** An existing leaf (or nothing) together with the changes, as sorted leaves. */
function mergeLeaf(node: TreeLeaf | undefined, changes: readonly TreeChange[]): TreeLeaf[] {
  const leaves: TreeLeaf[] = []
  for (const { key, valueHash } of changes) {
    if (valueHash !== undefined) leaves.push({ kind: 'leaf', key, valueHash })
  }
  if (node !== undefined && !changes.some(change => equal(change.key, node.key))) {
    leaves.push(node)
    leaves.sort((a, b) => compare(a.key, b.key))
  }
  return leaves
}

function build(store: NodeStore, depth: number, leaves: readonly TreeLeaf[]): TreeNode | undefined {
  if (leaves.length <= 1) return leaves[0]
  const split = splitAt(leaves, depth)
  const child = (part: readonly TreeLeaf[]): Hash => {
    if (part.length === 0) return ZERO_HASH
    const node = build(store, depth + 1, part)
    store.write(part[0]!.key, depth + 1, node)
    return hashOf(node)
  }
  return { kind: 'inner', left: child(leaves.slice(0, split)), right: child(leaves.slice(split)) }
}

/** Index of the first key whose bit at `depth` is 1. */
function splitAt(sorted: readonly { key: Hash }[], depth: number): number {
  const at = sorted.findIndex(item => bitAt(item.key, depth) === 1)
  return at === -1 ? sorted.length : at
}

export function bitAt(key: Uint8Array, depth: number): number {
  return (key[depth >> 3]! >> (7 - (depth & 7))) & 1
}

function withBit(key: Hash, depth: number, bit: number): Hash {
  const out = Uint8Array.from(key)
  const mask = 1 << (7 - (depth & 7))
  out[depth >> 3] = bit === 1 ? out[depth >> 3]! | mask : out[depth >> 3]! & ~mask
  return out
}

function hashOf(node: TreeNode | undefined): Hash {
  if (node === undefined) return ZERO_HASH
  return node.kind === 'leaf'
    ? leafHash(node.key, node.valueHash)
    : innerHash(node.left, node.right)
}
