/**
 * Where `get` writes: stdout, or a file that appears under its name only when every byte is in it and on the disk.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HoldfastError, messageOf } from '../src/base/errors.ts'
import { syncFolder } from '../src/node/home-files.ts'

export interface Target {
  write(chunk: Uint8Array): Promise<void>
  /** Everything was written. */
  commit(): Promise<void>
  /** Leaves nothing behind; harmless after commit. */
  abandon(): Promise<void>
}

/** @throws HoldfastError INVALID_ARGUMENT when the file cannot be created there */
export async function openTarget(file: string, signal: AbortSignal): Promise<Target> {
  if (file === '-') return stdoutTarget(signal)
  const existing = await stat(file).catch(() => undefined)
  if (existing?.isDirectory()) {
    throw new HoldfastError('INVALID_ARGUMENT', `cannot write ${file}: it is a folder`)
  }
  // a device or named pipe is written to, not replaced
  const inPlace = existing !== undefined && !existing.isFile()
  const written = inPlace ? file : `${file}.${randomBytes(6).toString('hex')}.part`
  let handle: FileHandle
  try {
    handle = await open(written, inPlace ? 'w' : 'wx')
  } catch (cause) {
    throw new HoldfastError('INVALID_ARGUMENT', `cannot write ${file}: ${messageOf(cause)}`, {
      cause
    })
  }
  return inPlace ? pipeTarget(handle) : fileTarget(handle, written, file)
}

function stdoutTarget(signal: AbortSignal): Target {
  return {
    write: async chunk => {
      if (!process.stdout.write(chunk)) await once(process.stdout, 'drain', { signal })
    },
    commit: async () => {},
    abandon: async () => {}
  }
}

function pipeTarget(handle: FileHandle): Target {
  return {
    write: chunk => handle.writeFile(chunk),
    commit: () => handle.close(),
    abandon: () => handle.close()
  }
}

function fileTarget(handle: FileHandle, part: string, file: string): Target {
  let committed = false
  return {
    write: chunk => handle.writeFile(chunk), // appends at the current position, whole chunks
    commit: async () => {
      await handle.sync()
      await handle.close()
      await rename(part, file)
      committed = true
      await syncFolder(dirname(file))
    },
    abandon: async () => {
      if (committed) return
      await handle.close()
      await rm(part, { force: true })
    }
  }
}
