/**
 * A deal's Merkle sum tree over its pieces: binds root and length of every piece and finds the piece under any leaf of
 * the deal (hashes: sum-hash.ts). Depth is ceil(log2(slots)), padded with empty slots. An update makes O(log n) new
 * nodes and a clone none, so the next revision of a deal can be computed before it is agreed.
 */
import { assert } from '../base/assert.ts'
import { equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { DEAL_PIECES_MAX, DEAL_TREE_DEPTH_MAX, HASH_BYTES } from '../base/limits.ts'
import { isIndex } from './lengths.ts'
import type { PieceEntry, Slot, SlotStep } from './sum-hash.ts'
import { DEAL_LEAVES_MAX, hashOfNode, hashOfSlot, isSlot, leavesOfSlot } from './sum-hash.ts'
import type { SumNode } from './sum-node.ts'
import {
  bitOf,
  childOf,
  EMPTY,
  hashOf,
  innerNode,
  innerOf,
  leafNode,
  leafOf,
  replaced
} from './sum-node.ts'

export type { PieceEntry, Slot, SlotStep } from './sum-hash.ts'

export class SumTree {
  #top: SumNode
  #slots: number
  #depth: number

  private constructor(top: SumNode, slots: number, depth: number) {
    this.#top = top
    this.#slots = slots
    this.#depth = depth
  }

  /** @throws HoldfastError INVALID_ARGUMENT on more than DEAL_PIECES_MAX slots or an entry out of bounds */
  static from(slots: readonly Slot[]): SumTree {
    if (slots.length > DEAL_PIECES_MAX) throw dealFull()
    let level: SumNode[] = slots.map(checkedLeaf)
    let depth = 0
    for (; level.length > 1; depth++) {
      const above: SumNode[] = []
      for (let i = 0; i < level.length; i += 2) {
        above.push(innerNode(level[i]!, level[i + 1] ?? EMPTY[depth]!))
      }
      level = above
    }
    return new SumTree(level[0] ?? EMPTY[0]!, slots.length, depth)
  }

  /** Places so far, empty ones included. */
  get slots(): number {
    return this.#slots
  }

  /** Sum of 1 KiB leaves over all pieces. */
  get leaves(): bigint {
    return BigInt(this.#top.leaves)
  }

  /** Sum of lengths over all pieces. */
  get bytes(): bigint {
    return BigInt(this.#top.bytes)
  }

  /** 32 bytes; 32 zero bytes for a tree without slots. */
  root(): Uint8Array {
    return new Uint8Array(hashOf(this.#top))
  }

  /** The piece in a slot below `slots`. */
  get(slot: number): Slot {
    assert(isIndex(slot, this.#slots), `slot ${slot} of ${this.#slots}`)
    let node = this.#top
    for (let level = this.#depth; level > 0; level--) node = childOf(node, bitOf(slot, level - 1))
    return leafOf(node).slot
  }

  /**
   * Replaces a slot, or adds one when `slot === slots`.
   * @throws HoldfastError INVALID_ARGUMENT when the deal is full or the entry is out of bounds
   */
  set(slot: number, entry: Slot): void {
    assert(isIndex(slot, this.#slots + 1), `slot ${slot} of ${this.#slots}`)
    if (slot >= DEAL_PIECES_MAX) throw dealFull()
    const leaf = checkedLeaf(entry)
    if (slot === 2 ** this.#depth) {
      this.#top = innerNode(this.#top, EMPTY[this.#depth]!)
      this.#depth++
    }
    this.#top = replaced(this.#top, this.#depth, slot, leaf)
    this.#slots = Math.max(this.#slots, slot + 1)
  }

  /**
   * Puts a piece into the lowest empty slot, else into a new one; returns the slot.
   * @throws HoldfastError INVALID_ARGUMENT when the deal is full or the entry is out of bounds
   */
  append(entry: PieceEntry): number {
    const slot = this.#lowestEmpty()
    this.set(slot, entry)
    return slot
  }

  /** The piece that holds leaf `leafIndex` (0..leaves-1) of the deal. */
  locate(leafIndex: bigint): { slot: number; leafInPiece: number } {
    assert(leafIndex >= 0n && leafIndex < this.leaves, `leaf ${leafIndex} of ${this.leaves}`)
    let rest = Number(leafIndex)
    let slot = 0
    let node = this.#top
    for (let level = this.#depth; level > 0; level--) {
      const { left, right } = innerOf(node)
      const goesRight = rest >= left.leaves
      if (goesRight) rest -= left.leaves
      node = goesRight ? right : left
      slot = slot * 2 + (goesRight ? 1 : 0)
    }
    return { slot, leafInPiece: rest }
  }

  /** Siblings of a slot below `slots`, bottom-up, one per level. */
  open(slot: number): SlotStep[] {
    assert(isIndex(slot, this.#slots), `slot ${slot} of ${this.#slots}`)
    const path: SlotStep[] = []
    let node = this.#top
    for (let level = this.#depth; level > 0; level--) {
      const bit = bitOf(slot, level - 1)
      const sibling = childOf(node, 1 - bit)
      path.push({ hash: new Uint8Array(hashOf(sibling)), leaves: BigInt(sibling.leaves) })
      node = childOf(node, bit)
    }
    return path.reverse()
  }

  /** An independent copy in O(1). */
  clone(): SumTree {
    return new SumTree(this.#top, this.#slots, this.#depth)
  }

  #lowestEmpty(): number {
    if (this.#top.pieces === this.#slots) return this.#slots
    let slot = 0
    let node = this.#top
    for (let level = this.#depth; level > 0; level--) {
      const bit = childOf(node, 0).pieces === 2 ** (level - 1) ? 1 : 0
      node = childOf(node, bit)
      slot = slot * 2 + bit
    }
    return slot
  }
}

/**
 * The index of a slot's first leaf within the deal, if the path leads from the entry to the deal's root and sum;
 * undefined otherwise. Never throws.
 */
export function verifySlot(init: {
  dealRoot: Uint8Array
  dealLeaves: bigint
  slot: number
  entry: Slot
  path: readonly SlotStep[]
}): { firstLeaf: bigint } | undefined {
  const { dealRoot, dealLeaves, slot, entry, path } = init
  if (path.length > DEAL_TREE_DEPTH_MAX || !isIndex(slot, 2 ** path.length)) return undefined
  if (dealLeaves < 0n || dealLeaves > DEAL_LEAVES_MAX || !isSlot(entry)) return undefined
  let hash = hashOfSlot(entry)
  let leaves = leavesOfSlot(entry)
  let firstLeaf = 0
  for (const [level, step] of path.entries()) {
    if (step.hash.length !== HASH_BYTES || step.leaves < 0n || step.leaves > dealLeaves) {
      return undefined
    }
    const sibling = Number(step.leaves)
    if (bitOf(slot, level) === 1) {
      hash = hashOfNode(sibling, step.hash, leaves, hash)
      firstLeaf += sibling
    } else {
      hash = hashOfNode(leaves, hash, sibling, step.hash)
    }
    leaves += sibling
  }
  if (BigInt(leaves) !== dealLeaves || !equal(hash, dealRoot)) return undefined
  return { firstLeaf: BigInt(firstLeaf) }
}

/** A leaf with a copy of the entry: the caller's root may be a view of a large buffer. */
function checkedLeaf(slot: Slot): SumNode {
  if (slot === undefined) return EMPTY[0]!
  if (!isSlot(slot)) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      'a piece has a 32-byte root and a length in bounds',
      {
        details: { rootBytes: slot.root.length, bytes: slot.bytes }
      }
    )
  }
  return leafNode({ root: new Uint8Array(slot.root), bytes: slot.bytes })
}

function dealFull(): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `a deal holds at most ${DEAL_PIECES_MAX} pieces`)
}
