/**
 * The files of a piece store. `<folder>/ab/abcd...` holds the piece with root abcd..., its bytes and nothing else;
 * `<folder>/<name>.partial` one that is still being written. Shard folders appear with their first piece. Errors are
 * those of the operating system; disk-trouble.ts gives them their meaning.
 */
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { toHex } from '../base/bytes.ts'
import { GROUP_BYTES } from '../base/limits.ts'
import { errorCodeOf } from './disk-trouble.ts'
import { GroupCommit } from './group-commit.ts'

const PARTIAL_NAME = /^[0-9a-z-]+\.partial$/
const SHARD_NAME = /^[0-9a-f]{2}$/
const PIECE_NAME = /^[0-9a-f]{64}$/

export interface PieceFiles {
  /** Makes the folder; removes partial files that an earlier process left. Returns how many. */
  prepare(): Promise<number>
  /** True if there is at least one shard folder. */
  hasShards(): Promise<boolean>
  /** A new partial file; `name` is unique within the process. */
  create(name: string): Promise<PartialFile>
  /** Puts a partial file in its place as the piece with that root; durable once resolved. */
  publish(name: string, root: Uint8Array): Promise<void>
  /** Deletes a partial file if it is there. */
  discard(name: string): Promise<void>
  /** Deletes a piece if it is there. */
  remove(root: Uint8Array): Promise<void>
  /**
   * Fills `into` from `offset` on; bytes that the file does not have or the disk does not give stay zero. False if
   * there is no such file.
   */
  read(root: Uint8Array, offset: number, into: Uint8Array): Promise<boolean>
  /** Length of a piece's file, undefined if there is none. */
  length(root: Uint8Array): Promise<number | undefined>
  /** Roots in hexadecimal of the files in a shard (0..255), and the names that are not of a piece. */
  shard(index: number): Promise<{ roots: string[]; foreign: string[] }>
}

export interface PartialFile {
  /** Appends all of the chunk. */
  write(chunk: Uint8Array): Promise<void>
  /** Until the disk has it. */
  sync(): Promise<void>
  close(): Promise<void>
}

export function createPieceFiles(folder: string): PieceFiles {
  return new DiskPieceFiles(folder)
}

class DiskPieceFiles implements PieceFiles {
  readonly #folder: string
  readonly #folderSyncs = new GroupCommit<string>(async folders => {
    await Promise.all(Array.from(new Set(folders), syncFolder))
  })

  /** Shard folders that this process has made sure of. */
  readonly #shards = new Map<string, Promise<void>>()

  constructor(folder: string) {
    this.#folder = resolve(folder)
  }

  async prepare(): Promise<number> {
    await makeFolder(this.#folder)
    const names = await readdir(this.#folder)
    const partials = names.filter(name => PARTIAL_NAME.test(name))
    for (const name of partials) await rm(join(this.#folder, name))
    return partials.length
  }

  async hasShards(): Promise<boolean> {
    const names = await namesIn(this.#folder)
    return names.some(name => SHARD_NAME.test(name))
  }

  async create(name: string): Promise<PartialFile> {
    return new DiskPartialFile(await open(this.#partialPath(name), 'wx'))
  }

  async publish(name: string, root: Uint8Array): Promise<void> {
    const shard = this.#shardPath(toHex(root))
    await this.#ensureShard(shard)
    await rename(this.#partialPath(name), this.#piecePath(root))
    await this.#folderSyncs.add(shard)
  }

  async discard(name: string): Promise<void> {
    await rm(this.#partialPath(name), { force: true })
  }

  async remove(root: Uint8Array): Promise<void> {
    await rm(this.#piecePath(root), { force: true })
  }

  async read(root: Uint8Array, offset: number, into: Uint8Array): Promise<boolean> {
    let file: FileHandle
    try {
      file = await open(this.#piecePath(root), 'r')
    } catch (error) {
      if (errorCodeOf(error) === 'ENOENT') return false
      throw error
    }
    try {
      await readSectors(file, offset, into)
    } finally {
      await file.close()
    }
    return true
  }

  async length(root: Uint8Array): Promise<number | undefined> {
    try {
      return (await stat(this.#piecePath(root))).size
    } catch (error) {
      if (errorCodeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  async shard(index: number): Promise<{ roots: string[]; foreign: string[] }> {
    const prefix = index.toString(16).padStart(2, '0')
    const names = await namesIn(this.#shardPath(prefix))
    const isPiece = (name: string): boolean => PIECE_NAME.test(name) && name.startsWith(prefix)
    return { roots: names.filter(isPiece), foreign: names.filter(name => !isPiece(name)) }
  }

  /** Durable once resolved, for everyone who waits: a piece is no safer than the folder it lies in. */
  #ensureShard(shard: string): Promise<void> {
    let ensured = this.#shards.get(shard)
    if (ensured === undefined) {
      ensured = this.#makeShard(shard)
      this.#shards.set(shard, ensured)
    }
    return ensured
  }

  async #makeShard(shard: string): Promise<void> {
    try {
      await mkdir(shard, { recursive: true })
      await this.#folderSyncs.add(this.#folder)
    } catch (error) {
      this.#shards.delete(shard)
      throw error
    }
  }

  #partialPath(name: string): string {
    return join(this.#folder, `${name}.partial`)
  }

  #shardPath(rootHex: string): string {
    return join(this.#folder, rootHex.slice(0, 2))
  }

  #piecePath(root: Uint8Array): string {
    const rootHex = toHex(root)
    return join(this.#shardPath(rootHex), rootHex)
  }
}

class DiskPartialFile implements PartialFile {
  readonly #file: FileHandle

  constructor(file: FileHandle) {
    this.#file = file
  }

  async write(chunk: Uint8Array): Promise<void> {
    let written = 0
    while (written < chunk.length) {
      const { bytesWritten } = await this.#file.write(chunk, written)
      written += bytesWritten
    }
  }

  async sync(): Promise<void> {
    await this.#file.sync()
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

/** Reads all at once; if the disk refuses, group by group, so that one bad sector costs one group. */
async function readSectors(file: FileHandle, offset: number, into: Uint8Array): Promise<void> {
  try {
    await readFully(file, offset, into)
  } catch (error) {
    if (errorCodeOf(error) !== 'EIO') throw error
    for (let at = 0; at < into.length; at += GROUP_BYTES) {
      const group = into.subarray(at, at + GROUP_BYTES)
      await readFully(file, offset + at, group).catch(() => group.fill(0))
    }
  }
}

async function readFully(file: FileHandle, offset: number, into: Uint8Array): Promise<void> {
  let filled = 0
  while (filled < into.length) {
    const { bytesRead } = await file.read(into, filled, into.length - filled, offset + filled)
    if (bytesRead === 0) return
    filled += bytesRead
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return []
    throw error
  }
}

/** Makes a folder and those above it; durable once resolved. */
async function makeFolder(folder: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true })
  if (firstMade === undefined) return
  for (let made = folder; made.length >= firstMade.length; made = dirname(made)) {
    await syncFolder(dirname(made))
  }
}

/** A new name in a folder is durable only after the folder itself has been synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
