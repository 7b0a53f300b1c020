/** Hash packages of npm, as their users call them; those with a native part are not there on every machine. */
import { createHash, hash } from 'node:crypto'
import { createRequire } from 'node:module'
import { hashInto as asHashInto } from '@chainsafe/as-sha256'
import { blake3 as nobleBlake3 } from '@noble/hashes/blake3.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { digest as dataSegment } from '@web3-storage/data-segment/multihash'
import { create as fr32Wasm } from 'fr32-sha2-256-trunc254-padded-binary-tree-multihash'
import { createBLAKE3 } from 'hash-wasm'
import { assert } from '../../src/base/assert.ts'
import { equal, toHex } from '../../src/base/bytes.ts'
import { messageOf } from '../../src/base/errors.ts'

export type HashFunction = (bytes: Uint8Array) => Uint8Array
/** A function, or why the package does not run here. */
export type Peers<F> = Record<string, F | string>

/** BLAKE3 and, because every CPU has instructions for it, SHA-256. */
export async function blake3Peers(): Promise<Peers<HashFunction>> {
  const hashWasm = await createBLAKE3()
  return {
    'noble-blake3': bytes => nobleBlake3(bytes),
    'node-sha256': bytes => hash('sha256', bytes, 'buffer'),
    'hash-wasm-blake3': bytes => hashWasm.init().update(bytes).digest('binary'),
    'napi-blake3': native('@napi-rs/blake-hash', ({ blake3 }: NapiBlake) => {
      return bytes => Buffer.from(blake3(bytes), 'hex')
    })
  }
}

interface NapiBlake {
  blake3(bytes: Uint8Array): string
}

/** SHA-256 of each 64 bytes of `pairs`, 32 bytes each, into `nodes`. */
export type HashPairs = (pairs: Uint8Array, nodes: Uint8Array) => void

export function sha256PairPeers(): Peers<HashPairs> {
  return {
    'as-sha256': asHashInto,
    hashtree: native('@chainsafe/hashtree', ({ hashInto }: { hashInto: HashPairs }) => hashInto),
    'node-sha256': oneByOne(pair => hash('sha256', pair, 'buffer')),
    'noble-sha256': oneByOne(nobleSha256)
  }
}

function oneByOne(digest: HashFunction): HashPairs {
  return (pairs, nodes) => {
    for (let i = 0; i * 64 < pairs.length; i++) {
      nodes.set(digest(pairs.subarray(i * 64, (i + 1) * 64)), i * 32)
    }
  }
}

/** The multihash of Filecoin's piece CID v2. */
export function pieceCidPeers(): Record<'fr32-wasm' | 'data-segment', HashFunction> {
  return { 'fr32-wasm': fr32Multihash, 'data-segment': bytes => dataSegment(bytes).bytes }
}

function fr32Multihash(bytes: Uint8Array): Uint8Array {
  const hasher = fr32Wasm()
  hasher.write(bytes)
  const target = new Uint8Array(hasher.multihashByteLength())
  hasher.digestInto(target, 0, true)
  hasher.free()
  return target
}

/** Streaming SHA-256 of Node, fed as a file would be. */
export function streamingSha256(chunkBytes: number): HashFunction {
  return bytes => {
    const state = createHash('sha256')
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      state.update(bytes.subarray(at, at + chunkBytes))
    }
    return state.digest()
  }
}

/** The peers that run, each proven to agree; SHA-256 among BLAKE3 is told apart by its name. */
export function agreeing(
  peers: Peers<HashFunction>,
  input: Uint8Array,
  expected: Uint8Array
): { running: [name: string, run: HashFunction][]; missing: Record<string, string> } {
  const { running, missing } = sorted(peers)
  for (const [name, run] of running) {
    if (name === 'node-sha256') continue
    const found = run(input)
    assert(equal(found, expected), `${name} gives ${toHex(found)}, ours ${toHex(expected)}`)
  }
  return { running, missing }
}

export function sorted<F>(peers: Peers<F>): {
  running: [name: string, run: F][]
  missing: Record<string, string>
} {
  const running: [string, F][] = []
  const missing: Record<string, string> = {}
  for (const [name, peer] of Object.entries(peers)) {
    if (typeof peer === 'string') missing[name] = peer
    else running.push([name, peer])
  }
  return { running, missing }
}

function native<Module, F>(name: string, use: (module: Module) => F): F | string {
  try {
    return use(createRequire(import.meta.url)(name) as Module)
  } catch (error) {
    return `${name} does not run here: ${messageOf(error).split('\n')[0]}`
  }
}
