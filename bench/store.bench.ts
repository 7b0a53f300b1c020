/**
 * The piece store of a provider on this machine's disk, in the temporary folder. Wall time; the second ratio of each
 * peer compares CPU time. The peer does what a careful program would do with plain files and the same promises:
 * write, fsync, rename, fsync the folder. Reads come from the page cache on both sides.
 */
import { type FileHandle, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../src/base/hash.ts'
import { GROUP_BYTES, KIB, MIB } from '../src/base/limits.ts'
import { createDiskPieceStore, type DiskPieceStore } from '../src/storage/index.ts'
import { compare, rowOf, timed } from './harness.ts'
import { rowName, sizeOf } from './row-name.ts'
import { randomBytes } from './support/bytes.ts'
import { makeTempFolder } from './support/temp-folder.ts'
import type { Area, BenchContext, Contestant, Row } from './types.ts'

const PIECE_BYTES: number = 8 * MIB
const PIECES = 8
const WRITE_BYTES: number = 256 * KIB
const READ_BYTES: number = 1 * MIB
/** Reads come from memory: so many rounds over all pieces make a sample long enough. */
const GET_PASSES = 6
const RANDOM_READS = 2_000
const PEER = 'plain-files'

export const area: Area = {
  name: 'store',
  about: 'piece store on disk against plain files with the same fsyncs',
  async *run(context) {
    const folder = await makeTempFolder()
    const store = createDiskPieceStore({
      dir: join(folder.path, 'store'),
      quotaBytes: Number.MAX_SAFE_INTEGER
    })
    try {
      await store.open()
      yield* compareStores(store, new PlainFiles(folder.path), context)
    } finally {
      await store.close()
      await folder.remove()
    }
  }
}

async function* compareStores(
  store: DiskPieceStore,
  files: PlainFiles,
  context: BenchContext
): AsyncGenerator<Row> {
  const piece = randomBytes(PIECE_BYTES)
  const groupCvs = randomBytes((PIECE_BYTES / GROUP_BYTES) * 32)
  let stored = 0
  const rootOf = (index: number): Uint8Array => sha256(new TextEncoder().encode(`piece ${index}`))
  const storePut = async (): Promise<void> => {
    const staged = await store.stage(PIECE_BYTES)
    for (const chunk of chunksOf(piece, WRITE_BYTES)) await staged.write(chunk)
    await staged.commit(rootOf(stored++), groupCvs)
  }
  const puts = [pieces('put', 1, storePut), pieces(PEER, 1, () => files.put(piece))]
  yield row('put', PIECE_BYTES, await compare(puts, context))

  const groups = READ_BYTES / GROUP_BYTES
  const storeGet = async (index: number): Promise<void> => {
    for (let at = 0; at < PIECE_BYTES; at += READ_BYTES) {
      await store.readGroups(rootOf(index), at / GROUP_BYTES, groups)
    }
  }
  const gets = [
    pieces('get', GET_PASSES, storeGet),
    pieces(PEER, GET_PASSES, index => files.get(index))
  ]
  yield row('get', PIECE_BYTES, await compare(gets, context))

  const random = [
    reads('read-group', async at => {
      await store.readGroups(rootOf(at % PIECES), (at * 7) % (PIECE_BYTES / GROUP_BYTES), 1)
    }),
    reads(PEER, at => files.readGroup(at % PIECES, (at * 7) % (PIECE_BYTES / GROUP_BYTES)))
  ]
  const rounds = await compare(random, context)
  const name = rowName('store', 'read-group', { size: sizeOf(GROUP_BYTES) })
  yield rowOf(rounds, { name, ours: 'read-group', peers: [PEER], unit: 'ops', basis: 'wall' })
}

function row(op: string, bytes: number, rounds: Awaited<ReturnType<typeof compare>>): Row {
  const name = rowName('store', op, { size: sizeOf(bytes) })
  return rowOf(rounds, { name, ours: op, peers: [PEER], unit: 'MB', basis: 'wall' })
}

/** Whole pieces, one after the other. */
function pieces(name: string, passes: number, work: (index: number) => Promise<void>): Contestant {
  const sample: Contestant['sample'] = () =>
    timed(async () => {
      for (let i = 0; i < passes * PIECES; i++) await work(i % PIECES)
      return passes * PIECES * PIECE_BYTES
    })
  return { name, prepare: () => work(0), sample }
}

function reads(name: string, work: (index: number) => Promise<void>): Contestant {
  const sample: Contestant['sample'] = () =>
    timed(async () => {
      for (let i = 0; i < RANDOM_READS; i++) await work(i)
      return RANDOM_READS
    })
  return { name, prepare: () => work(0), sample }
}

function* chunksOf(bytes: Uint8Array, chunkBytes: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}

class PlainFiles {
  readonly #folder: string
  readonly #buffer = new Uint8Array(READ_BYTES)
  #written = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  async put(piece: Uint8Array): Promise<void> {
    const path = this.#path(this.#written++)
    await withFile(`${path}.partial`, 'wx', async file => {
      for (const chunk of chunksOf(piece, WRITE_BYTES)) await file.write(chunk)
      await file.sync()
    })
    await rename(`${path}.partial`, path)
    await withFile(this.#folder, 'r', folder => folder.sync())
  }

  async get(index: number): Promise<void> {
    for (let at = 0; at < PIECE_BYTES; at += READ_BYTES) await this.#read(index, at, READ_BYTES)
  }

  async readGroup(index: number, group: number): Promise<void> {
    await this.#read(index, group * GROUP_BYTES, GROUP_BYTES)
  }

  /** Opens the file for each read, as the store does: it keeps no descriptors. */
  async #read(index: number, offset: number, bytes: number): Promise<void> {
    await withFile(this.#path(index), 'r', async file => {
      await file.read(this.#buffer, 0, bytes, offset)
    })
  }

  #path(index: number): string {
    return join(this.#folder, `plain-${index}`)
  }
}

async function withFile(
  path: string,
  flags: string,
  work: (file: FileHandle) => Promise<void>
): Promise<void> {
  const file = await open(path, flags)
  try {
    await work(file)
  } finally {
    await file.close()
  }
}
