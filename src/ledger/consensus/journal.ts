/**
 * The consensus journal: what a validator has signed, and the certificates and block bodies it acted on, of the open
 * height. Separate from the ledger's database, so that restoring that one cannot rewind it. Two files take turns: when
 * the one in use has grown and a height is decided, what still matters goes into the other one, and it is emptied.
 */
import { assert } from '../../base/assert.ts'
import { equal, toHex } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { MIB } from '../../base/limits.ts'
import { type Certificate, certificateType } from '../types/block.ts'
import { decodeStrict } from '../types/ssz.ts'
import { encodeFrame, type FileRecord, type Frame, scanFrames } from './frames.ts'
import type { AppendFile } from './ports.ts'
import { decodeRecord, type JournalRecord } from './signer.ts'

export const JOURNAL_ROTATE_BYTES: number = 4 * MIB

const SIGNED = 1
const CERT = 2
const BLOCK = 3

/** What was durable of one height. */
export interface JournaledHeight {
  records: JournalRecord[]
  certs: Certificate[]
  /** Encoded blocks. */
  blocks: Uint8Array[]
}

export type JournalFiles = readonly [AppendFile, AppendFile]

export class Journal {
  readonly #files: JournalFiles
  readonly #rotateBytes: number
  /** The file in use: 0 or 1. */
  #active = 0
  #length = 0
  #sequence = 0n
  #pending: FileRecord[] = []
  /** Everything signed at the highest height: goes along when the files change. */
  #signed: { height: bigint; payloads: Uint8Array[] } = { height: 0n, payloads: [] }
  #opened: { records: JournalRecord[]; certs: Certificate[]; blocks: Uint8Array[] } = empty()

  constructor(files: JournalFiles, rotateBytes: number = JOURNAL_ROTATE_BYTES) {
    this.#files = files
    this.#rotateBytes = rotateBytes
  }

  /**
   * Reads both files, cuts off torn tails, and makes durable what it read: after a crash of the process alone it may be
   * in the system's cache only. Returns what the validator has signed.
   * @throws HoldfastError JOURNAL_DAMAGED; STORE_READ_ONLY on a disk error
   */
  async open(): Promise<readonly JournalRecord[]> {
    const scanned = await Promise.all(this.#files.map(scanFile))
    const last = scanned.map(({ frames }) => frames.at(-1)?.sequence ?? -1n)
    this.#active = last[1]! > last[0]! ? 1 : 0
    const other = 1 - this.#active
    this.#sequence = last[this.#active]! + 1n
    this.#length = scanned[this.#active]!.length
    // the file that is no longer in use goes first: it is older
    for (const file of [other, this.#active]) {
      for (const frame of scanned[file]!.frames) this.#remember(frame)
    }
    await onDisk('open', async () => {
      await this.#file(this.#active).flush()
      if (scanned[other]!.frames.length > 0) await this.#file(other).truncate(0)
    })
    return this.#opened.records
  }

  /** What was durable of a height when the journal was opened. */
  restored(height: bigint, heightOf: (block: Uint8Array) => bigint | undefined): JournaledHeight {
    const { records, certs, blocks } = this.#opened
    return {
      records: records.filter(record => record.height === height),
      certs: certs.filter(cert => cert.height === height),
      blocks: blocks.filter(block => heightOf(block) === height)
    }
  }

  /** Heights below this one are decided: what was read of them is of no more use. */
  forgetBelow(height: bigint): void {
    const { records, certs, blocks } = this.#opened
    if (records.length + certs.length + blocks.length === 0) return
    const isOpen = (item: { height: bigint }): boolean => item.height >= height
    const kept = { records: records.filter(isOpen), certs: certs.filter(isOpen) }
    const any = kept.records.length + kept.certs.length > 0
    this.#opened = { ...kept, blocks: any ? blocks : [] }
  }

  /** The highest height at which anything was signed. */
  get signedHeight(): bigint {
    return this.#signed.height
  }

  /** Whether the record is among those of the highest height signed. */
  hasSigned(record: Uint8Array): boolean {
    return this.#signed.payloads.some(known => equal(known, record))
  }

  addSigned(record: Uint8Array): void {
    this.#keepSigned(decodeRecord(record).height, record)
    this.#pending.push({ type: SIGNED, payload: record })
  }

  addCert(cert: Certificate): void {
    this.#pending.push({ type: CERT, payload: certificateType.serialize(cert) })
  }

  addBlock(block: Uint8Array): void {
    this.#pending.push({ type: BLOCK, payload: block })
  }

  /** Makes durable what was added: one append, one flush. @throws HoldfastError STORE_READ_ONLY */
  async flush(): Promise<void> {
    if (this.#pending.length === 0) return
    const frame = encodeFrame(this.#sequence, this.#pending)
    this.#pending = []
    this.#sequence++
    await onDisk('write', async () => {
      const file = this.#file(this.#active)
      await file.append(frame)
      await file.flush()
    })
    this.#length += frame.length
  }

  /** Called between heights. @throws HoldfastError STORE_READ_ONLY */
  async rotate(): Promise<void> {
    assert(this.#pending.length === 0, 'everything is flushed between heights')
    if (this.#length < this.#rotateBytes) return
    const records = this.#signed.payloads.map(payload => ({ type: SIGNED, payload }))
    const frame = encodeFrame(this.#sequence, records)
    await onDisk('change files of', async () => {
      const next = this.#file(1 - this.#active)
      await next.append(frame)
      await next.flush()
      await this.#file(this.#active).truncate(0)
    })
    this.#sequence++
    this.#active = 1 - this.#active
    this.#length = frame.length
  }

  #file(index: number): AppendFile {
    return this.#files[index]!
  }

  #remember({ records }: Frame): void {
    const seen = new Set(this.#opened.records.map(idOf))
    for (const { type, payload } of records) {
      if (type === CERT) this.#opened.certs.push(certOf(payload))
      else if (type === BLOCK) this.#opened.blocks.push(payload)
      else if (type === SIGNED) {
        const record = decodeRecord(payload)
        this.#keepSigned(record.height, payload)
        if (!seen.has(idOf(record))) this.#opened.records.push(record)
      } else assert(false, 'the journal has records of known types')
    }
  }

  #keepSigned(height: bigint, payload: Uint8Array): void {
    if (height < this.#signed.height) return
    if (height > this.#signed.height) this.#signed = { height, payloads: [] }
    this.#signed.payloads.push(payload)
  }
}

function empty(): JournaledHeight {
  return { records: [], certs: [], blocks: [] }
}

function idOf({ kind, height, view, blockHash, base }: JournalRecord): string {
  return `${kind}/${height}/${view}/${base}/${toHex(blockHash)}`
}

function certOf(payload: Uint8Array): Certificate {
  return decodeStrict(certificateType, payload, 'journaled certificate', 'JOURNAL_DAMAGED')
}

async function scanFile(file: AppendFile): ReturnType<typeof scan> {
  return await onDisk('read', () => scan(file))
}

async function scan(file: AppendFile): Promise<{ frames: Frame[]; length: number }> {
  const bytes = await file.read()
  const scanned = scanFrames(bytes)
  if (scanned.length < bytes.length) await file.truncate(scanned.length)
  return scanned
}

async function onDisk<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (HoldfastError.is(cause)) throw cause
    throw new HoldfastError(
      'STORE_READ_ONLY',
      `cannot ${action} the consensus journal: ${messageOf(cause)}`,
      { cause, hint: 'check the disk and its mount, then restart the node' }
    )
  }
}
