/**
 * How nodes of the state tree are stored: four levels of the binary tree in one page, so that a path of 20 nodes is
 * five reads. A page has up to 15 nodes, numbered as in a heap: 1 at its top, 2n and 2n + 1 below n.
 *
 *   page = bitmap of nodes (u16, little-endian) || bitmap of those that are leaves || 64 bytes for each, in order
 */
import { view } from '../../base/bytes.ts'
import { HASH_BYTES } from '../../base/limits.ts'
import { pageKey } from './keys.ts'
import type { NodeStore, TreeNode } from './tree.ts'
import type { Write } from './types.ts'

const PAGE_LEVELS = 4
const SLOTS = 1 << PAGE_LEVELS
const HEADER_BYTES = 4
const NODE_BYTES: number = 2 * HASH_BYTES

interface Page {
  key: Uint8Array
  /** By number in the heap. */
  nodes: (TreeNode | undefined)[]
  changed: boolean
}

/** Nodes over stored pages. Writes stay here until they are taken with `writes`. */
export class PagedNodes implements NodeStore {
  readonly #read: (key: Uint8Array) => Uint8Array | undefined
  readonly #pages = new Map<string, Page>()

  /** @param read value of a database key, the same all along */
  constructor(read: (key: Uint8Array) => Uint8Array | undefined) {
    this.#read = read
  }

  read(path: Uint8Array, depth: number): TreeNode | undefined {
    return this.#page(path, depth).nodes[slotOf(path, depth)]
  }

  write(path: Uint8Array, depth: number, node: TreeNode | undefined): void {
    const page = this.#page(path, depth)
    page.nodes[slotOf(path, depth)] = node
    page.changed = true
  }

  /** What makes the changed pages durable. */
  writes(): Write[] {
    const writes: Write[] = []
    for (const { key, nodes, changed } of this.#pages.values()) {
      if (!changed) continue
      const value = encodePage(nodes)
      writes.push(value === undefined ? { key } : { key, value })
    }
    return writes
  }

  #page(path: Uint8Array, depth: number): Page {
    const top = depth - (depth % PAGE_LEVELS)
    const id = idOf(path, top)
    let page = this.#pages.get(id)
    if (page === undefined) {
      const key = pageKey(path, top)
      const bytes = this.#read(key)
      const nodes = bytes === undefined ? new Array<undefined>(SLOTS) : decodePage(bytes)
      page = { key, nodes, changed: false }
      this.#pages.set(id, page)
    }
    return page
  }
}

/** The first `top` bits; a half byte is written as a character that no whole one is. */
function idOf(path: Uint8Array, top: number): string {
  const whole = view(path).toString('latin1', 0, top >> 3)
  return top % 8 === 0 ? whole : whole + String.fromCharCode(0x100 + (path[top >> 3]! >> 4))
}

function slotOf(path: Uint8Array, depth: number): number {
  const level = depth % PAGE_LEVELS
  if (level === 0) return 1
  // the nibble that the page is about, and of it the bits above the node
  const byte = path[depth >> 3]!
  const nibble = depth % 8 < PAGE_LEVELS ? byte >> 4 : byte & 0xf
  return (1 << level) | (nibble >> (PAGE_LEVELS - level))
}

/** Undefined when there is no node. */
function encodePage(nodes: readonly (TreeNode | undefined)[]): Uint8Array | undefined {
  const there = nodes.flatMap((node, slot) => (node === undefined ? [] : [{ node, slot }]))
  if (there.length === 0) return undefined
  const out = Buffer.alloc(HEADER_BYTES + there.length * NODE_BYTES)
  let [present, leaves] = [0, 0]
  for (const [i, { node, slot }] of there.entries()) {
    present |= 1 << slot
    if (node.kind === 'leaf') leaves |= 1 << slot
    const at = HEADER_BYTES + i * NODE_BYTES
    out.set(node.kind === 'leaf' ? node.key : node.left, at)
    out.set(node.kind === 'leaf' ? node.valueHash : node.right, at + HASH_BYTES)
  }
  out.writeUInt16LE(present, 0)
  out.writeUInt16LE(leaves, 2)
  return out
}

function decodePage(bytes: Uint8Array): (TreeNode | undefined)[] {
  const nodes = new Array<TreeNode | undefined>(SLOTS)
  const present = bytes[0]! | (bytes[1]! << 8)
  const leaves = bytes[2]! | (bytes[3]! << 8)
  let at = HEADER_BYTES
  for (let slot = 1; slot < SLOTS; slot++) {
    if (((present >> slot) & 1) === 0) continue
    const first = bytes.subarray(at, at + HASH_BYTES)
    const second = bytes.subarray(at + HASH_BYTES, at + NODE_BYTES)
    const isLeaf = ((leaves >> slot) & 1) === 1
    nodes[slot] = isLeaf
      ? { kind: 'leaf', key: first, valueHash: second }
      : { kind: 'inner', left: first, right: second }
    at += NODE_BYTES
  }
  return nodes
}
