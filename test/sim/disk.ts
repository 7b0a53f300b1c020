/**
 * One machine's disk: what is synced survives a power cut, what is not may be lost or torn. Every operation that makes
 * something durable is a boundary at which the machine can die, before or after it takes effect.
 */
import type { AppendFile } from '../../src/ledger/consensus/ports.ts'
import { DbImage } from './db-image.ts'
import type { Prng } from './prng.ts'
import type { World } from './world.ts'

/** A process on the machine: when it is dead, nothing it began goes on. */
export interface Process {
  isDead: boolean
}

export interface DiskFaults {
  /** That the machine dies at a durable operation. */
  crashChance: number
  /** That a write fails with an error. */
  errorChance: number
  latencyMsMax: number
}

export class Disk {
  readonly files: readonly [FileImage, FileImage] = [new FileImage(), new FileImage()]
  /** The ledger's database. */
  readonly db: DbImage = new DbImage()
  faults: DiskFaults = { crashChance: 0, errorChance: 0, latencyMsMax: 0 }
  readonly #world: World
  readonly #random: Prng
  readonly #die: () => void

  constructor(world: World, random: Prng, die: () => void) {
    this.#world = world
    this.#random = random
    this.#die = die
  }

  /** Carries out a durable operation of a process; never resolves when the process dies over it. */
  async durable(process: Process, effect: () => void): Promise<void> {
    const latencyMs = this.#random.below(this.faults.latencyMsMax + 1)
    if (latencyMs > 0) await new Promise<void>(resolve => this.#world.after(latencyMs, resolve))
    if (process.isDead) return await never()
    const { crashChance, errorChance } = this.faults
    if (this.#random.chance(errorChance)) throw new Error('input/output error')
    if (this.#random.chance(crashChance)) {
      if (this.#random.chance(0.5)) effect()
      this.#die()
      return await never()
    }
    effect()
  }

  /** What the power cut leaves of everything that was not synced. */
  powerCut(): void {
    for (const file of this.files) file.powerCut(this.#random)
  }

  openFiles(process: Process): readonly [AppendFile, AppendFile] {
    const open = (image: FileImage): AppendFile => ({
      read: async () => image.content(),
      append: async bytes => {
        if (process.isDead) return await never()
        image.append(bytes)
      },
      truncate: length => this.durable(process, () => image.truncate(length)),
      flush: () => this.durable(process, () => image.sync()),
      close: async () => {}
    })
    return [open(this.files[0]), open(this.files[1])]
  }
}

function never(): Promise<never> {
  return new Promise(() => {})
}

export class FileImage {
  #bytes = new Uint8Array(4096)
  #length = 0
  #synced = 0

  content(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  get length(): number {
    return this.#length
  }

  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length))
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    this.#bytes.set(bytes, this.#length)
    this.#length = length
  }

  truncate(length: number): void {
    this.#length = Math.min(this.#length, length)
    this.#synced = Math.min(this.#synced, this.#length)
  }

  sync(): void {
    this.#synced = this.#length
  }

  /** Keeps all, a part or nothing of the unsynced tail; a part may be garbage. */
  powerCut(random: Prng): void {
    const unsynced = this.#length - this.#synced
    if (unsynced === 0) return
    const kept = random.chance(0.3) ? 0 : random.below(unsynced + 1)
    this.#length = this.#synced + kept
    for (let at = this.#synced; at < this.#length; at++) {
      if (random.chance(0.02)) this.#bytes[at] = random.below(256)
    }
    this.#synced = this.#length
  }

  /** Flips one bit among the first `below` bytes. */
  flip(below: number, random: Prng): void {
    this.#bytes[random.below(below)]! ^= 1 << random.below(8)
  }
}
