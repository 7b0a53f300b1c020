/** Open files for reading, the most recently used kept open: a range read costs no open and no close. */
import type { DiskFile, FileSystem } from './file-system.ts'

const OPEN_MAX = 128

interface Handle {
  readonly file: Promise<DiskFile>
  users: number
  /** Close it when its last user is done. */
  doomed: boolean
}

export interface HeldFile {
  readonly file: DiskFile
  release(): Promise<void>
}

export class ReadHandles {
  readonly #fs: FileSystem
  readonly #handles = new Map<number, Handle>()

  constructor(fs: FileSystem) {
    this.#fs = fs
  }

  /** Runs `work` on a log; the file stays readable meanwhile, even if the log is deleted. */
  async use<T>(logId: number, path: string, work: (file: DiskFile) => Promise<T>): Promise<T> {
    const held = await this.hold(logId, path)
    try {
      return await work(held.file)
    } finally {
      await held.release()
    }
  }

  /** As `use`, until it is released. */
  async hold(logId: number, path: string): Promise<HeldFile> {
    const handle = this.#handles.get(logId) ?? this.#opening(path)
    // Moved to the end: the map is ordered by last use.
    this.#handles.delete(logId)
    this.#handles.set(logId, handle)
    handle.users += 1
    try {
      return { file: await handle.file, release: () => this.#release(handle) }
    } catch (error) {
      if (this.#handles.get(logId) === handle) this.#handles.delete(logId)
      throw error
    }
  }

  /** The log is gone. */
  async forget(logId: number): Promise<void> {
    const handle = this.#handles.get(logId)
    if (handle === undefined) return
    this.#handles.delete(logId)
    handle.doomed = true
    if (handle.users === 0) await closeQuietly(handle)
  }

  async close(): Promise<void> {
    for (const id of [...this.#handles.keys()]) await this.forget(id)
  }

  #opening(path: string): Handle {
    return { file: this.#fs.open(path, 'read'), users: 0, doomed: false }
  }

  async #release(handle: Handle): Promise<void> {
    handle.users -= 1
    if (handle.doomed && handle.users === 0) await closeQuietly(handle)
    await this.#evict()
  }

  async #evict(): Promise<void> {
    for (const [id, handle] of this.#handles) {
      if (this.#handles.size <= OPEN_MAX) return
      if (handle.users === 0) await this.forget(id)
    }
  }
}

async function closeQuietly(handle: Handle): Promise<void> {
  await handle.file.then(file => file.close()).catch(() => {})
}
