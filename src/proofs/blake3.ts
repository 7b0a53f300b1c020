/**
 * BLAKE3's tree on the fastest implementation that this machine runs: the functions of blake3-tree.ts, ready to call.
 */
import { Blake3 } from './blake3-tree.ts'

export { LEAVES_PER_GROUP } from './blake3-tree.ts'

let shared: Blake3 | undefined

/** One for the whole thread, made when it is first needed. */
export function sharedBlake3(): Blake3 {
  shared ??= new Blake3()
  return shared
}

/** See Blake3.chunkCv. */
export function chunkCv(bytes: Uint8Array, chunkIndex: number, isRoot: boolean): Uint8Array {
  return sharedBlake3().chunkCv(bytes, chunkIndex, isRoot)
}

/** See Blake3.parentCv. */
export function parentCv(left: Uint8Array, right: Uint8Array, isRoot: boolean): Uint8Array {
  return sharedBlake3().parentCv(left, right, isRoot)
}

/** See Blake3.chunkCvsOfGroup. */
export function chunkCvsOfGroup(bytes: Uint8Array, groupIndex: number): Uint8Array {
  return sharedBlake3().chunkCvsOfGroup(bytes, groupIndex)
}

/** See Blake3.groupCv. */
export function groupCv(bytes: Uint8Array, groupIndex: number, isRoot: boolean): Uint8Array {
  return sharedBlake3().groupCv(bytes, groupIndex, isRoot)
}

/** See Blake3.parentLevel. */
export function parentLevel(level: Uint8Array, isRoot: boolean): Uint8Array {
  return sharedBlake3().parentLevel(level, isRoot)
}

/** See Blake3.rootOfGroups. */
export function rootOfGroups(groupCvs: Uint8Array): Uint8Array {
  return sharedBlake3().rootOfGroups(groupCvs)
}

/** BLAKE3 of any input, 32 bytes. */
export function blake3(bytes: Uint8Array): Uint8Array {
  return sharedBlake3().hash(bytes)
}
