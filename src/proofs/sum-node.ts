/**
 * Nodes of the sum tree: immutable but for the hash, which is computed when first asked for and then kept. Versions of
 * a tree share every node they have in common.
 */
import { assert } from '../base/assert.ts'
import { DEAL_TREE_DEPTH_MAX } from '../base/limits.ts'
import { hashOfNode, hashOfSlot, leavesOfSlot, type Slot } from './sum-hash.ts'

export interface LeafNode extends Sums {
  readonly slot: Slot
}
export interface InnerNode extends Sums {
  readonly left: SumNode
  readonly right: SumNode
}
export type SumNode = LeafNode | InnerNode

interface Sums {
  /** Sum of 1 KiB leaves below. */
  readonly leaves: number
  readonly bytes: number
  /** Slots in use below. */
  readonly pieces: number
  hash: Uint8Array | undefined
}

/** The empty subtree of every level, shared by all trees. */
export const EMPTY: readonly SumNode[] = emptySubtrees()

function emptySubtrees(): SumNode[] {
  const nodes: SumNode[] = [leafNode(undefined)]
  for (let level = 1; level <= DEAL_TREE_DEPTH_MAX; level++) {
    nodes.push(innerNode(nodes[level - 1]!, nodes[level - 1]!))
  }
  return nodes
}

export function leafNode(slot: Slot): LeafNode {
  return {
    slot,
    leaves: leavesOfSlot(slot),
    bytes: slot?.bytes ?? 0,
    pieces: slot === undefined ? 0 : 1,
    hash: undefined
  }
}

export function innerNode(left: SumNode, right: SumNode): InnerNode {
  return {
    left,
    right,
    leaves: left.leaves + right.leaves,
    bytes: left.bytes + right.bytes,
    pieces: left.pieces + right.pieces,
    hash: undefined
  }
}

/** The subtree with one leaf replaced; all nodes off the way to it are shared. */
export function replaced(node: SumNode, level: number, slot: number, leaf: SumNode): SumNode {
  if (level === 0) return leaf
  const { left, right } = innerOf(node)
  return bitOf(slot, level - 1) === 1
    ? innerNode(left, replaced(right, level - 1, slot, leaf))
    : innerNode(replaced(left, level - 1, slot, leaf), right)
}

export function hashOf(node: SumNode): Uint8Array {
  if (node.hash === undefined) {
    if ('slot' in node) {
      node.hash = hashOfSlot(node.slot)
    } else {
      const leftHash = hashOf(node.left)
      const rightHash = hashOf(node.right)
      node.hash = hashOfNode(node.left.leaves, leftHash, node.right.leaves, rightHash)
    }
  }
  return node.hash
}

export function innerOf(node: SumNode): InnerNode {
  assert('left' in node, 'an inner node above level 0')
  return node
}

export function leafOf(node: SumNode): LeafNode {
  assert('slot' in node, 'a slot at level 0')
  return node
}

export function childOf(node: SumNode, bit: number): SumNode {
  const { left, right } = innerOf(node)
  return bit === 1 ? right : left
}

export function bitOf(slot: number, level: number): number {
  return (slot >> level) & 1
}
