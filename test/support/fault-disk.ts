/**
 * A disk in memory that does to its users what real ones do: it loses what was not synced, in part and out of order,
 * tears writes at sectors, refuses with any error code, reads and writes less than was asked, and flips bits. One seed
 * gives one history.
 */
import { dirname } from 'node:path'
import type { DiskFile, FileSystem } from '../../src/storage/piece-log/file-system.ts'
import type { SeededRandom } from '../storage/random.ts'

const SECTOR_BYTES = 512

export type StepKind =
  | 'open'
  | 'create'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'unlink'
  | 'syncFolder'

export interface FaultPlan {
  /** Called before each step; the error code it returns is thrown. */
  readonly refuse?: (kind: StepKind, path: string, step: number) => string | undefined
  /** The power goes at this step, counted from 1 over all steps that change something. */
  readonly crashAt?: number
  /** Reads and writes take less than was asked, and yield now and then. */
  readonly isShort?: boolean
}

type Pending = { readonly at: number; readonly bytes: Buffer } | { readonly truncatedTo: number }

class SimFile {
  now: Buffer = Buffer.alloc(0)
  durable: Buffer = Buffer.alloc(0)
  pending: Pending[] = []
}

/** Counts the steps of everything that loses power together. */
export class PowerLine {
  steps = 0
  crashAt: number
  isOff = false

  constructor(crashAt: number = Infinity) {
    this.crashAt = crashAt
  }

  /** True when the power goes with this very step. */
  step(): boolean {
    this.assertOn()
    this.steps += 1
    if (this.steps < this.crashAt) return false
    this.isOff = true
    return true
  }

  assertOn(): void {
    if (this.isOff) throw errno('EPOWER')
  }
}

export class FaultDisk implements FileSystem {
  plan: FaultPlan
  readonly power: PowerLine
  readonly #random: SeededRandom
  #names = new Map<string, SimFile>()
  #durableNames = new Map<string, SimFile>()
  #folders = new Set<string>()
  #steps = 0

  constructor(random: SeededRandom, plan: FaultPlan = {}, power: PowerLine = new PowerLine()) {
    this.#random = random
    this.plan = plan
    this.power = power
    if (plan.crashAt !== undefined) power.crashAt = plan.crashAt
  }

  async makeFolder(folder: string): Promise<void> {
    this.#folders.add(folder)
  }

  async list(folder: string): Promise<string[]> {
    this.power.assertOn()
    const prefix = `${folder}/`
    return [...this.#names.keys()]
      .filter(p => p.startsWith(prefix))
      .map(p => p.slice(prefix.length))
  }

  async size(path: string): Promise<number> {
    return this.#file(path).now.length
  }

  async open(path: string, how: 'create' | 'write' | 'read'): Promise<DiskFile> {
    await this.#before(how === 'create' ? 'create' : 'open', path)
    if (how !== 'create') return new OpenFile(this, path, this.#file(path))
    if (this.#names.has(path)) throw errno('EEXIST')
    if (!this.#folders.has(dirname(path))) throw errno('ENOENT')
    this.#changing()
    const file = new SimFile()
    this.#names.set(path, file)
    return new OpenFile(this, path, file)
  }

  async unlink(path: string): Promise<void> {
    await this.#before('unlink', path)
    this.#file(path)
    this.#changing()
    this.#names.delete(path)
  }

  async syncFolder(folder: string): Promise<void> {
    await this.#before('syncFolder', folder)
    this.#changing()
    this.#durableNames = new Map(this.#names)
  }

  async read(path: string, file: SimFile, into: Uint8Array, offset: number): Promise<number> {
    await this.#before('read', path)
    const here = file.now.subarray(offset, offset + this.#some(into.length))
    into.set(here)
    return here.length
  }

  async write(
    path: string,
    file: SimFile,
    parts: readonly Uint8Array[],
    offset: number
  ): Promise<number> {
    await this.#before('write', path)
    const all = Buffer.concat(parts)
    const bytes = all.subarray(0, this.#some(all.length))
    const op = { at: offset, bytes: Buffer.from(bytes) }
    // The power can go while the disk is at it: some of it may be there.
    file.pending.push(op)
    file.now = applied(file.now, op)
    this.#changing()
    return bytes.length
  }

  async sync(path: string, file: SimFile): Promise<void> {
    await this.#before('sync', path)
    this.#changing()
    file.durable = Buffer.from(file.now)
    file.pending = []
  }

  async truncate(path: string, file: SimFile, bytes: number): Promise<void> {
    await this.#before('truncate', path)
    this.#changing()
    file.pending.push({ truncatedTo: bytes })
    file.now = applied(file.now, { truncatedTo: bytes })
  }

  /** What is there when the power comes back. */
  afterCrash(plan: FaultPlan = {}, power: PowerLine = new PowerLine()): FaultDisk {
    const disk = new FaultDisk(this.#random, plan, power)
    disk.#folders = this.#folders
    for (const path of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      const [now, durable] = [this.#names.get(path), this.#durableNames.get(path)]
      const file = now === durable || this.#random.below(2) === 0 ? now : durable
      if (file !== undefined) disk.#put(path, this.#survivor(file))
    }
    return disk
  }

  /** The same disk for another process: nothing is lost. */
  afterKill(plan: FaultPlan = {}, power: PowerLine = new PowerLine()): FaultDisk {
    const disk = new FaultDisk(this.#random, plan, power)
    disk.#folders = this.#folders
    for (const [path, file] of this.#names) disk.#put(path, file.now)
    return disk
  }

  paths(): string[] {
    return [...this.#names.keys()].sort()
  }

  bytesOf(path: string): Buffer {
    return this.#file(path).now
  }

  /** Length of all files. */
  totalBytes(): number {
    return [...this.#names.values()].reduce((sum, file) => sum + file.now.length, 0)
  }

  /** Flips one bit where it is stored. */
  flip(path: string, byte: number): void {
    const file = this.#file(path)
    file.now[byte]! ^= 1 << this.#random.below(8)
    file.durable = Buffer.from(file.now)
  }

  remove(path: string): void {
    this.#names.delete(path)
    this.#durableNames.delete(path)
  }

  cut(path: string, bytes: number): void {
    this.#put(path, this.#file(path).now.subarray(0, bytes))
  }

  rename(path: string, to: string): void {
    this.#put(to, this.#file(path).now)
    this.remove(path)
  }

  copyInto(other: FaultDisk, path: string): void {
    other.#put(path, this.#file(path).now)
  }

  #put(path: string, bytes: Buffer): void {
    const file = new SimFile()
    file.now = Buffer.from(bytes)
    file.durable = Buffer.from(bytes)
    this.#names.set(path, file)
    this.#durableNames.set(path, file)
  }

  /** Synced bytes, and any part of the rest. */
  #survivor(file: SimFile): Buffer {
    const luck = this.#random.below(4)
    if (luck === 0) return file.durable
    if (luck === 1) return file.now
    let bytes = file.durable
    for (const op of file.pending) {
      if (luck === 2 && this.#random.below(2) === 0) continue
      if ('truncatedTo' in op) bytes = applied(bytes, op)
      else
        for (const sector of sectorsOf(op))
          if (this.#random.below(3) > 0) bytes = applied(bytes, sector)
    }
    return bytes
  }

  #file(path: string): SimFile {
    const file = this.#names.get(path)
    if (file === undefined) throw errno('ENOENT')
    return file
  }

  async #before(kind: StepKind, path: string): Promise<void> {
    this.power.assertOn()
    this.#steps += 1
    const code = this.plan.refuse?.(kind, path, this.#steps)
    if (code !== undefined) throw errno(code)
    if (this.plan.isShort !== true) return
    for (let yields = this.#random.below(4); yields > 0; yields--) await Promise.resolve()
    this.power.assertOn()
  }

  #changing(): void {
    if (this.power.step()) throw errno('EPOWER')
  }

  #some(length: number): number {
    if (this.plan.isShort !== true || length < 2 || this.#random.below(4) > 0) return length
    return 1 + this.#random.below(length)
  }
}

class OpenFile implements DiskFile {
  readonly #disk: FaultDisk
  readonly #path: string
  readonly #file: SimFile

  constructor(disk: FaultDisk, path: string, file: SimFile) {
    this.#disk = disk
    this.#path = path
    this.#file = file
  }

  read(into: Uint8Array, offset: number): Promise<number> {
    return this.#disk.read(this.#path, this.#file, into, offset)
  }

  write(parts: readonly Uint8Array[], offset: number): Promise<number> {
    return this.#disk.write(this.#path, this.#file, parts, offset)
  }

  sync(): Promise<void> {
    return this.#disk.sync(this.#path, this.#file)
  }

  truncate(bytes: number): Promise<void> {
    return this.#disk.truncate(this.#path, this.#file, bytes)
  }

  async close(): Promise<void> {}
}

export function errno(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code })
}

function applied(bytes: Buffer, op: Pending): Buffer {
  if ('truncatedTo' in op) {
    const out = Buffer.alloc(op.truncatedTo)
    bytes.copy(out)
    return out
  }
  const out = Buffer.alloc(Math.max(bytes.length, op.at + op.bytes.length))
  bytes.copy(out)
  op.bytes.copy(out, op.at)
  return out
}

function* sectorsOf({ at, bytes }: { at: number; bytes: Buffer }): Generator<Pending> {
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + SECTOR_BYTES - ((at + from) % SECTOR_BYTES))
    yield { at: at + from, bytes: bytes.subarray(from, to) }
    from = to
  }
}
