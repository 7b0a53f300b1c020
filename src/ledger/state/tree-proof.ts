/** Inclusion and exclusion proofs of the state tree: the siblings from the root down, and the leaf found there. */
import { equal } from '../../base/bytes.ts'
import { type Hash, ZERO_HASH } from '../../base/hash.ts'
import { HASH_BYTES } from '../../base/limits.ts'
import { bitAt, innerHash, leafHash, type NodeStore } from './tree.ts'

export interface StateProof {
  /** From the root down, at most 256. */
  siblings: Hash[]
  /** The leaf at the end of the path; absent when the path ends empty. */
  leaf?: { key: Hash; valueHash: Hash }
}

const DEPTH_MAX = HASH_BYTES * 8

export function proveKey(store: NodeStore, key: Hash): StateProof {
  const siblings: Hash[] = []
  let node = store.read(key, 0)
  while (node?.kind === 'inner') {
    siblings.push(bitAt(key, siblings.length) === 0 ? node.right : node.left)
    node = store.read(key, siblings.length)
  }
  if (node === undefined) return { siblings }
  return { siblings, leaf: { key: node.key, valueHash: node.valueHash } }
}

/**
 * True if the proof shows that `key` has `valueHash` under `root`, or, without a `valueHash`, that it is absent.
 */
export function verifyStateProof(
  root: Hash,
  key: Hash,
  valueHash: Hash | undefined,
  proof: StateProof
): boolean {
  const { siblings, leaf } = proof
  if (siblings.length > DEPTH_MAX) return false
  const holdsKey = leaf !== undefined && equal(leaf.key, key)
  if (valueHash === undefined) {
    if (holdsKey || !sharesPath(leaf?.key, key, siblings.length)) return false
  } else if (!holdsKey || !equal(leaf.valueHash, valueHash)) {
    return false
  }
  let hash = leaf === undefined ? ZERO_HASH : leafHash(leaf.key, leaf.valueHash)
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    const sibling = siblings[depth]!
    hash = bitAt(key, depth) === 0 ? innerHash(hash, sibling) : innerHash(sibling, hash)
  }
  return equal(hash, root)
}

/** Another leaf proves absence only if it stands where the key would. */
function sharesPath(other: Hash | undefined, key: Hash, depth: number): boolean {
  if (other === undefined) return true
  for (let i = 0; i < depth; i++) if (bitAt(other, i) !== bitAt(key, i)) return false
  return true
}
