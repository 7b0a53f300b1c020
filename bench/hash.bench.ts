/**
 * Hashes of src/proofs against the packages of npm and the native SHA-256 of Node. CPU time of one thread.
 *
 *   blake3        the root of one input
 *   blake3-tree   the chaining values of all chunks and of every node above them, all kept; the peers give the root
 * only
 *   sha256-pairs  one level of a piece tree: SHA-256 of 64-byte pairs, two bits cleared (by us only)
 *   piece-cid     Filecoin's piece CID; level=hashtree lets the native module, where it is there, hash the pairs
 */
import { CID } from 'multiformats/cid'
import { assert } from '../src/base/assert.ts'
import { concat, equal } from '../src/base/bytes.ts'
import { GROUP_BYTES, HASH_BYTES, KIB, MIB } from '../src/base/limits.ts'
import { Blake3, blake3, createPieceCid } from '../src/proofs/index.ts'
import { AREA_BYTES } from '../src/proofs/piece-cid/piece-kernel.ts'
import { WasmPieceKernel } from '../src/proofs/piece-cid/wasm-piece-kernel.ts'
import { compare, cpuLoop, rowOf, skippedRow } from './harness.ts'
import { type RowParameters, rowName, sizeOf } from './row-name.ts'
import { randomBytes } from './support/bytes.ts'
import {
  agreeing,
  blake3Peers,
  type HashFunction,
  pieceCidPeers,
  sha256PairPeers,
  sorted
} from './support/hash-peers.ts'
import type { Area, BenchContext, Row } from './types.ts'

const SIZES: readonly number[] = [1 * KIB, 64 * KIB, 1 * MIB]
const TREE_BYTES: number = 1 * MIB
const PIECE_BYTES: number = 8 * MIB
/** The pure JavaScript package is slow: its sample needs less. */
const SLOW_PIECE_BYTES: number = 512 * KIB
const PAIRS: number = AREA_BYTES / (2 * HASH_BYTES)
const BASIS = { unit: 'MB', basis: 'cpu', guard: true } as const

export const area: Area = {
  name: 'hash',
  about: 'BLAKE3, SHA-256 pairs and piece CIDs against npm packages and SHA-256 of node:crypto',
  async *run(context) {
    yield* blake3Rows(context)
    yield* pairRows(context)
    yield* pieceCidRows(context)
  }
}

async function* blake3Rows(context: BenchContext): AsyncGenerator<Row> {
  const peers = await blake3Peers()
  for (const bytes of SIZES) {
    const input = randomBytes(bytes)
    const { running, missing } = agreeing(peers, input, blake3(input))
    const theirs = running.map(([name, run]) => cpuLoop(name, bytes, () => run(input)))
    const ours = [cpuLoop('root', bytes, () => blake3(input))]
    if (bytes === TREE_BYTES) ours.push(cpuLoop('tree', bytes, () => wholeTree(input)))
    const rounds = await compare([...ours, ...theirs], context)
    for (const { name } of ours) {
      yield rowOf(rounds, {
        ...{ ...BASIS, ours: name, missing, peers: theirs.map(peer => peer.name) },
        name: rowName('hash', name === 'root' ? 'blake3' : 'blake3-tree', { size: sizeOf(bytes) })
      })
    }
  }
}

const tree = new Blake3()

/** Every level of the tree, from the chunks to the root. */
function wholeTree(input: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0; at < input.length; at += GROUP_BYTES) {
    chunks.push(tree.chunkCvsOfGroup(input.subarray(at, at + GROUP_BYTES), at / GROUP_BYTES))
  }
  const levels = [concat(...chunks)]
  for (let top = levels[0]!; top.length > HASH_BYTES; levels.push(top)) {
    top = tree.parentLevel(top, true)
  }
  return levels
}

async function* pairRows(context: BenchContext): AsyncGenerator<Row> {
  const name = rowName('hash', 'sha256-pairs', { n: PAIRS, level: 'relaxed-simd' })
  const kernel = kernelOrReason()
  if (typeof kernel === 'string') {
    yield skippedRow(name, kernel)
    return
  }
  const pairs = randomBytes(AREA_BYTES)
  kernel.areas[0].set(pairs)
  kernel.hashPairs(0, PAIRS)
  const expected = kernel.areas[1].slice(0, PAIRS * HASH_BYTES)
  const { running, missing } = sorted(sha256PairPeers())
  const theirs = running.map(([peer, run]) => {
    const nodes = new Uint8Array(PAIRS * HASH_BYTES)
    run(pairs, nodes)
    for (let i = HASH_BYTES - 1; i < nodes.length; i += HASH_BYTES) nodes[i]! &= 0x3f
    assert(equal(nodes, expected), `${peer} computes SHA-256`)
    return cpuLoop(peer, AREA_BYTES, () => run(pairs, nodes))
  })
  const ours = cpuLoop('ours', AREA_BYTES, () => kernel.hashPairs(0, PAIRS))
  const rounds = await compare([ours, ...theirs], context)
  const peers = theirs.map(peer => peer.name)
  yield rowOf(rounds, { ...BASIS, name, ours: 'ours', peers, missing })
}

function kernelOrReason(): WasmPieceKernel | string {
  try {
    return new WasmPieceKernel('relaxed-simd')
  } catch (error) {
    return (error as Error).message
  }
}

async function* pieceCidRows(context: BenchContext): AsyncGenerator<Row> {
  const nameOf = (parameters: RowParameters): string =>
    rowName('hash', 'piece-cid', { size: sizeOf(PIECE_BYTES), ...parameters })
  const piece = randomBytes(PIECE_BYTES)
  const part = piece.subarray(0, SLOW_PIECE_BYTES)
  const ours: Record<string, HashFunction> = { wasm: bytes => pieceMultihash(bytes, false) }
  const { pairHasher } = createPieceCid()
  if (pairHasher === 'hashtree') ours['hashtree'] = bytes => pieceMultihash(bytes, true)
  const peers = pieceCidPeers()
  const all = Object.entries({ ...ours, ...peers }).map(([name, run]) => {
    const input = name === 'data-segment' ? part : piece
    assert(equal(run(part), pieceMultihash(part, false)), `${name} computes the piece CID`)
    return cpuLoop(name, input.length, () => run(input))
  })
  const rounds = await compare(all, context)
  for (const level of Object.keys(ours)) {
    yield rowOf(rounds, {
      ...{ ...BASIS, name: nameOf({ level }), ours: level, peers: Object.keys(peers) }
    })
  }
  if (ours['hashtree'] === undefined) {
    yield skippedRow(nameOf({ level: 'hashtree' }), '@chainsafe/hashtree does not run here')
  }
}

function pieceMultihash(bytes: Uint8Array, hashtree: boolean): Uint8Array {
  const hasher = createPieceCid({ hashtree })
  hasher.update(bytes)
  return CID.parse(hasher.finish().v2).multihash.bytes
}
