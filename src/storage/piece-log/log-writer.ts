/** The end of one log, in the hands of one writer at a time. What is not settled can be taken back. */
import { type DiskFile, writeFully } from './file-system.ts'
import type { LogName } from './log-format.ts'

export class LogWriter {
  readonly name: LogName
  readonly mark: Buffer
  readonly #file: DiskFile
  #tail: number
  #at: number
  #broken = false

  constructor(name: LogName, mark: Buffer, file: DiskFile, tail: number) {
    this.name = name
    this.mark = mark
    this.#file = file
    this.#tail = tail
    this.#at = tail
  }

  /** Where the next write goes. */
  get at(): number {
    return this.#at
  }

  /** Nothing more may be appended: what was taken back may still be there. */
  get broken(): boolean {
    return this.#broken
  }

  async append(parts: readonly Uint8Array[]): Promise<void> {
    await writeFully(this.#file, parts, this.#at)
    for (const part of parts) this.#at += part.length
  }

  /** Durable once resolved; then it can no longer be taken back. */
  async settle(): Promise<void> {
    await this.#file.sync()
    this.#tail = this.#at
  }

  /** Drops everything after the last settled byte. */
  async takeBack(): Promise<void> {
    this.#at = this.#tail
    try {
      await this.#file.truncate(this.#tail)
    } catch {
      // The disk is failing: the next recovery sees what is there.
      this.#broken = true
    }
  }

  /** An fsync that failed may have dropped pages that look clean now: nothing here can be trusted any more. */
  distrust(): void {
    this.#broken = true
  }

  async close(): Promise<void> {
    await this.#file.close().catch(() => {})
  }
}
