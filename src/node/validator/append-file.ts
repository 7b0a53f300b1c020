/** The journal's file on a real disk (src/ledger/consensus/ports.ts). Errors of the disk pass through unchanged. */
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { AppendFile } from '../../ledger/index.ts'
import { PRIVATE_FILE_MODE, syncFolder } from '../home-files.ts'

/** Opens the file, or makes it durably. */
export async function openAppendFile(path: string): Promise<AppendFile> {
  const handle = await open(path, 'a+', PRIVATE_FILE_MODE)
  try {
    await syncFolder(dirname(path))
    return new DiskAppendFile(handle)
  } catch (error) {
    await handle.close()
    throw error
  }
}

class DiskAppendFile implements AppendFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async read(): Promise<Uint8Array> {
    const { size } = await this.#handle.stat()
    const bytes = new Uint8Array(size)
    for (let at = 0; at < size; ) {
      const { bytesRead } = await this.#handle.read(bytes, at, size - at, at)
      if (bytesRead === 0) return bytes.subarray(0, at)
      at += bytesRead
    }
    return bytes
  }

  async truncate(length: number): Promise<void> {
    await this.#handle.truncate(length)
    await this.#handle.datasync()
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#handle.appendFile(bytes)
  }

  async flush(): Promise<void> {
    await this.#handle.datasync()
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}
