/**
 * The logs of one folder that can still grow. A writer takes one for itself and gives it back; the fullest goes first,
 * so few stay half empty. Logs are grouped by the tick at which the leases in them end.
 */
import { join } from 'node:path'
import { type DiskFile, type FileSystem, writeFully } from './file-system.ts'
import {
  encodeLogHeader,
  LOG_HEADER_BYTES,
  type LogName,
  nameOfLog,
  type StoreIdentity
} from './log-format.ts'
import { LogWriter } from './log-writer.ts'

/** Idle logs kept open; others are opened again when they are taken. */
const IDLE_OPEN_MAX = 64

export interface LogPoolInit {
  readonly fs: FileSystem
  readonly folder: string
  readonly identity: StoreIdentity
  /** A log takes no record that would end beyond, unless it is its first. */
  readonly logBytesMax: number
  takeLogId(): number
  /** A new log exists, durably. */
  onCreated(name: LogName): void
}

interface Idle {
  readonly name: LogName
  tail: number
  writer?: LogWriter
}

export class LogPool {
  readonly #init: LogPoolInit
  readonly #idle = new Map<number, Idle>()
  readonly #taken = new Set<number>()
  #closed = false

  constructor(init: LogPoolInit) {
    this.#init = init
  }

  pathOf(name: LogName): string {
    return join(this.#init.folder, nameOfLog(name))
  }

  /** A log of an earlier run that can still grow. */
  offer(name: LogName, tail: number): void {
    if (tail < this.#init.logBytesMax) this.#idle.set(name.id, { name, tail })
  }

  isTaken(id: number): boolean {
    return this.#taken.has(id)
  }

  /** A log of that group with room for so many bytes, for this caller alone until it is given back. */
  async take(endTick: number, bytes: number): Promise<LogWriter> {
    const idle = this.#fullest(endTick, bytes)
    const id = idle?.name.id ?? this.#init.takeLogId()
    this.#taken.add(id)
    try {
      return idle === undefined ? await this.#create({ id, endTick }) : await this.#reopen(idle)
    } catch (error) {
      this.#taken.delete(id)
      if (idle !== undefined) this.#idle.set(id, idle)
      throw error
    }
  }

  /** Gives back a log at whose end everything is settled or taken back. */
  async give(writer: LogWriter): Promise<void> {
    const { name, at } = writer
    this.#taken.delete(name.id)
    const keep = !this.#closed && !writer.broken && at < this.#init.logBytesMax
    if (keep) this.#idle.set(name.id, { name, tail: at, writer })
    if (!keep || this.#openIdle() > IDLE_OPEN_MAX) await this.#release(name.id, writer)
  }

  /** No writer gets this log any more; false if one has it now. */
  async retire(id: number): Promise<boolean> {
    if (this.#taken.has(id)) return false
    const idle = this.#idle.get(id)
    this.#idle.delete(id)
    await idle?.writer?.close()
    return true
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const { writer } of this.#idle.values()) await writer?.close()
    this.#idle.clear()
  }

  #fullest(endTick: number, bytes: number): Idle | undefined {
    const { logBytesMax } = this.#init
    let best: Idle | undefined
    for (const idle of this.#idle.values()) {
      const fits = idle.tail + bytes <= logBytesMax || idle.tail === LOG_HEADER_BYTES
      if (idle.name.endTick !== endTick || !fits) continue
      if (best === undefined || idle.tail > best.tail) best = idle
    }
    if (best !== undefined) this.#idle.delete(best.name.id)
    return best
  }

  async #reopen({ name, tail, writer }: Idle): Promise<LogWriter> {
    if (writer !== undefined) return writer
    const file = await this.#init.fs.open(this.pathOf(name), 'write')
    return new LogWriter(name, this.#init.identity.markOf(name.id), file, tail)
  }

  async #create(name: LogName): Promise<LogWriter> {
    const { fs, folder, identity, onCreated } = this.#init
    const path = this.pathOf(name)
    let file: DiskFile | undefined
    try {
      file = await fs.open(path, 'create')
      await writeFully(file, [encodeLogHeader(identity.storeId, name)], 0)
      await file.sync()
      await fs.syncFolder(folder)
    } catch (error) {
      await file?.close().catch(() => {})
      if (file !== undefined) await fs.unlink(path).catch(() => {})
      throw error
    }
    onCreated(name)
    return new LogWriter(name, identity.markOf(name.id), file, LOG_HEADER_BYTES)
  }

  #openIdle(): number {
    let open = 0
    for (const { writer } of this.#idle.values()) if (writer !== undefined) open += 1
    return open
  }

  async #release(id: number, writer: LogWriter): Promise<void> {
    const idle = this.#idle.get(id)
    if (idle?.writer === writer) delete idle.writer
    await writer.close()
  }
}
