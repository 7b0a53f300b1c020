/**
 * What `put` reads: a file, which must be the same file with the same length and time when it has been read, or a pipe.
 */
import type { BigIntStats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { HoldfastError } from '../src/base/errors.ts'
import { MIB } from '../src/base/limits.ts'

export interface Source {
  /** Undefined for a pipe. */
  bytes: number | undefined
  stream: AsyncIterable<Uint8Array>
  close(): Promise<void>
}

const READ_BYTES: number = 1 * MIB

/**
 * Opens FILE, or stdin for "-". Reading throws SOURCE_CHANGED when the file changed meanwhile.
 * @throws HoldfastError INVALID_ARGUMENT when it cannot be read or is a folder
 */
export async function openSource(file: string): Promise<Source> {
  if (file === '-') return fromStdin()
  const { handle, stats } = await openFile(file)
  const close = (): Promise<void> => handle.close()
  const bytes = handle.createReadStream({ highWaterMark: READ_BYTES, autoClose: false })
  const stream = readable(file, bytes)
  if (!stats.isFile()) return { bytes: undefined, stream, close } // a named pipe or device
  return { bytes: Number(stats.size), stream: unchanged(file, stats, stream), close }
}

function fromStdin(): Source {
  const close = async (): Promise<void> => {
    process.stdin.destroy() // an open terminal would keep the process alive
  }
  return { bytes: undefined, stream: process.stdin, close }
}

async function openFile(file: string): Promise<{ handle: FileHandle; stats: BigIntStats }> {
  let handle: FileHandle
  try {
    handle = await open(file, 'r')
  } catch (cause) {
    throw unreadable(file, reasonOf(cause), cause)
  }
  const stats = await handle.stat({ bigint: true })
  if (!stats.isDirectory()) return { handle, stats }
  await handle.close()
  throw unreadable(file, 'it is a folder')
}

/** The bytes of a regular file; its last step is the comparison, so a changed file never ends well. */
async function* unchanged(
  file: string,
  before: BigIntStats,
  stream: AsyncIterable<Uint8Array>
): AsyncGenerator<Uint8Array> {
  let read = 0n
  for await (const chunk of stream) {
    read += BigInt(chunk.length)
    if (read > before.size) throw changed(file)
    yield chunk
  }
  const after = await stat(file, { bigint: true }).catch(() => undefined)
  const same =
    after !== undefined &&
    read === before.size &&
    after.size === before.size &&
    after.mtimeNs === before.mtimeNs &&
    after.ino === before.ino
  if (!same) throw changed(file)
}

function changed(file: string): HoldfastError {
  return new HoldfastError('SOURCE_CHANGED', `${file} changed while it was being read`, {
    hint: 'nothing was stored; try again when the file is at rest'
  })
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied'
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return REASONS[code ?? ''] ?? message
}

function unreadable(file: string, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `cannot read ${file}: ${reason}`, { cause })
}

/** The same bytes; a disk that fails in the middle is an unreadable file too. */
async function* readable(
  file: string,
  stream: AsyncIterable<Uint8Array>
): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch (cause) {
    throw unreadable(file, reasonOf(cause), cause)
  }
}
