/**
 * What the log engine asks of a file system, and the real one. The tests have another (test/support/fault-disk.ts) that
 * loses, tears and flips what was written. Errors are those of the operating system; disk-trouble.ts gives them their
 * meaning.
 */
import { type FileHandle, mkdir, open, readdir, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { view } from '../../base/bytes.ts'
import { GROUP_BYTES } from '../../base/limits.ts'
import { errorCodeOf } from '../disk-trouble.ts'

export interface FileSystem {
  /** Makes a folder and those above it; durable once resolved. */
  makeFolder(folder: string): Promise<void>
  /** Names in a folder. */
  list(folder: string): Promise<string[]>
  /** Length of a file in bytes. */
  size(path: string): Promise<number>
  /** `create` makes a file that must not be there yet. */
  open(path: string, how: 'create' | 'write' | 'read'): Promise<DiskFile>
  unlink(path: string): Promise<void>
  /** Makes creations and unlinks in a folder durable. */
  syncFolder(folder: string): Promise<void>
}

export interface DiskFile {
  /** Reads into all of `into` if it can; returns how many bytes it read, 0 only at the end of the file. */
  read(into: Uint8Array, offset: number): Promise<number>
  /** Writes at `offset`; returns how many bytes of the parts, joined, it took. */
  write(parts: readonly Uint8Array[], offset: number): Promise<number>
  /** Until the disk has everything written before. */
  sync(): Promise<void>
  truncate(bytes: number): Promise<void>
  close(): Promise<void>
}

const FLAGS = { create: 'wx+', write: 'r+', read: 'r' } as const

export const nodeFileSystem: FileSystem = {
  makeFolder,
  list: folder => readdir(folder),
  size: async path => (await stat(path)).size,
  open: async (path, how) => new NodeFile(await open(path, FLAGS[how])),
  unlink: path => unlink(path),
  syncFolder
}

class NodeFile implements DiskFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async read(into: Uint8Array, offset: number): Promise<number> {
    const { bytesRead } = await this.#handle.read(into, 0, into.length, offset)
    return bytesRead
  }

  async write(parts: readonly Uint8Array[], offset: number): Promise<number> {
    const { bytesWritten } = await this.#handle.writev(parts.map(view), offset)
    return bytesWritten
  }

  sync(): Promise<void> {
    return this.#handle.datasync()
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes)
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** Writes all of the parts. */
export async function writeFully(
  file: DiskFile,
  parts: readonly Uint8Array[],
  offset: number
): Promise<void> {
  let left = parts.filter(part => part.length > 0)
  let at = offset
  while (left.length > 0) {
    let written = await file.write(left, at)
    at += written
    while (left.length > 0 && written >= left[0]!.length) {
      written -= left[0]!.length
      left = left.slice(1)
    }
    if (written > 0) left = [left[0]!.subarray(written), ...left.slice(1)]
  }
}

/** Fills `into` as far as the file goes; returns how many bytes that were. */
export async function readFully(file: DiskFile, into: Uint8Array, offset: number): Promise<number> {
  let filled = 0
  while (filled < into.length) {
    const read = await file.read(into.subarray(filled), offset + filled)
    if (read === 0) break
    filled += read
  }
  return filled
}

/** As readFully; where the disk refuses, piecemeal, so that one bad sector costs 16 KiB, which are left zero. */
export async function readSectors(
  file: DiskFile,
  into: Uint8Array,
  offset: number
): Promise<number> {
  try {
    return await readFully(file, into, offset)
  } catch (error) {
    if (errorCodeOf(error) !== 'EIO') throw error
    for (let at = 0; at < into.length; at += GROUP_BYTES) {
      const group = into.subarray(at, at + GROUP_BYTES)
      await readFully(file, group, offset + at).catch(() => group.fill(0))
    }
    return into.length
  }
}

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
