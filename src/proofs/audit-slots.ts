/**
 * Several slots of a deal under its root, with every node of their paths sent once. The sum tree is walked from the
 * root, left before right: a subtree without any of the slots is one step of the answer, in the order of the walk.
 */
import { equal } from '../base/bytes.ts'
import { DEAL_TREE_DEPTH_MAX, HASH_BYTES } from '../base/limits.ts'
import {
  DEAL_LEAVES_MAX,
  hashOfNode,
  hashOfSlot,
  isSlot,
  leavesOfSlot,
  type PieceEntry,
  type SlotStep
} from './sum-hash.ts'

export interface SlotEntry extends PieceEntry {
  readonly slot: number
}

export interface SlotsProof {
  /** Levels between the slots and the root. */
  readonly depth: number
  /** 32 bytes per step, in the order of the walk. */
  readonly hashes: Uint8Array
  /** Sum of leaves of each step. */
  readonly sums: readonly number[]
}

/** What is asked of a sum tree; SumTree has it. */
interface OpenTree {
  readonly slots: number
  open(slot: number): SlotStep[]
}

/** Proof for slots of a tree, ascending, without repeats, at least one, each below `tree.slots`. */
export function openSlots(tree: OpenTree, slots: readonly number[]): SlotsProof {
  const steps = new Map<string, SlotStep>()
  let depth = 0
  for (const slot of slots) {
    const path = tree.open(slot)
    depth = path.length
    for (const [level, step] of path.entries()) steps.set(`${level}/${(slot >> level) ^ 1}`, step)
  }
  const hashes: Uint8Array[] = []
  const sums: number[] = []
  const entries = slots.map(slot => ({ slot, root: NO_ROOT, bytes: 1 }))
  walk(entries, depth, (level, index) => {
    const step = steps.get(`${level}/${index}`)!
    hashes.push(step.hash)
    sums.push(Number(step.leaves))
    return NOTHING
  })
  const joined = new Uint8Array(hashes.length * HASH_BYTES)
  for (const [i, hash] of hashes.entries()) joined.set(hash, i * HASH_BYTES)
  return { depth, hashes: joined, sums }
}

/**
 * The index within the deal of each slot's first leaf, if the proof leads from the entries to the deal's root and sum;
 * undefined otherwise. Never throws.
 * @param init.entries ascending by slot, without repeats, at least one
 */
export function verifySlots(init: {
  dealRoot: Uint8Array
  dealLeaves: bigint
  entries: readonly SlotEntry[]
  proof: SlotsProof
}): number[] | undefined {
  const { dealRoot, dealLeaves, entries, proof } = init
  const { depth, hashes, sums } = proof
  if (!Number.isInteger(depth) || depth < 0 || depth > DEAL_TREE_DEPTH_MAX) return undefined
  if (dealLeaves < 0n || dealLeaves > DEAL_LEAVES_MAX || !areEntries(entries, depth)) {
    return undefined
  }
  if (hashes.length !== sums.length * HASH_BYTES) return undefined
  const most = Number(dealLeaves)
  if (!sums.every(sum => Number.isInteger(sum) && sum >= 0 && sum <= most)) return undefined
  const firsts: number[] = []
  let used = 0
  const top = walk(
    entries,
    depth,
    () => {
      const at = used++ * HASH_BYTES
      if (used > sums.length) return undefined
      return { hash: hashes.subarray(at, at + HASH_BYTES), leaves: sums[used - 1]! }
    },
    first => firsts.push(first)
  )
  if (top === undefined || used !== sums.length) return undefined
  return top.leaves === most && equal(top.hash, dealRoot) ? firsts : undefined
}

interface Sum {
  hash: Uint8Array
  leaves: number
}

const NO_ROOT = new Uint8Array(HASH_BYTES)
const NOTHING: Sum = { hash: NO_ROOT, leaves: 0 }

/** The top of the tree; undefined as soon as a step is missing. */
function walk(
  entries: readonly SlotEntry[],
  depth: number,
  unknown: (level: number, index: number) => Sum | undefined,
  onFirst: (firstLeaf: number) => void = () => {}
): Sum | undefined {
  let before = 0
  const visit = (level: number, index: number, from: number, to: number): Sum | undefined => {
    if (from === to) {
      const sum = unknown(level, index)
      before += sum?.leaves ?? 0
      return sum
    }
    if (level === 0) {
      onFirst(before)
      const entry = entries[from]!
      const leaves = leavesOfSlot(entry)
      before += leaves
      return { hash: hashOfSlot(entry), leaves }
    }
    const middle = (2 * index + 1) * 2 ** (level - 1)
    let mid = from
    while (mid < to && entries[mid]!.slot < middle) mid++
    const left = visit(level - 1, 2 * index, from, mid)
    const right = left && visit(level - 1, 2 * index + 1, mid, to)
    if (left === undefined || right === undefined) return undefined
    const hash = hashOfNode(left.leaves, left.hash, right.leaves, right.hash)
    return { hash, leaves: left.leaves + right.leaves }
  }
  return visit(depth, 0, 0, entries.length)
}

function areEntries(entries: readonly SlotEntry[], depth: number): boolean {
  const end = 2 ** depth
  return (
    entries.length > 0 &&
    entries.every((entry, i) => {
      const { slot } = entry
      const inOrder = i === 0 || entries[i - 1]!.slot < slot
      return Number.isInteger(slot) && slot >= 0 && slot < end && inOrder && isSlot(entry)
    })
  )
}
