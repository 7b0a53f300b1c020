/** Links between nodes: loss, duplication, reordering by delay, spikes, and partitions that need not be symmetric. */
import type { Prng } from './prng.ts'
import type { World } from './world.ts'

export interface LinkFaults {
  lossChance: number
  duplicateChance: number
  delayMsMin: number
  delayMsMax: number
  /** A delay of SPIKE_MS at most. */
  spikeChance: number
}

export const CALM: LinkFaults = {
  lossChance: 0,
  duplicateChance: 0,
  delayMsMin: 1,
  delayMsMax: 20,
  spikeChance: 0
}
const SPIKE_MS = 3_000

/** A place that messages go to. Twins are two of them with one name. */
export interface Endpoint {
  readonly id: string
  /** How the others know it. */
  readonly name: string
  /** Ignored while it is down. */
  receive(from: string, message: Uint8Array): void
}

export class Network {
  readonly #world: World
  readonly #random: Prng
  readonly #endpoints: Endpoint[] = []
  /** `from>to` by endpoint id. */
  readonly #cut = new Set<string>()
  faults: LinkFaults = CALM
  sent = 0

  constructor(world: World, random: Prng) {
    this.#world = world
    this.#random = random
  }

  join(endpoint: Endpoint): void {
    this.#endpoints.push(endpoint)
  }

  /** Names that `from` can ask. */
  peersOf(from: Endpoint): string[] {
    const names = this.#endpoints.filter(to => this.#reaches(from, to)).map(({ name }) => name)
    return [...new Set(names)]
  }

  isCut(from: Endpoint, to: Endpoint): boolean {
    return this.#cut.has(`${from.id}>${to.id}`)
  }

  cut(from: Endpoint, to: Endpoint): void {
    this.#cut.add(`${from.id}>${to.id}`)
  }

  heal(): void {
    this.#cut.clear()
  }

  /** To one name, or to everybody else. */
  send(from: Endpoint, to: string | undefined, message: Uint8Array, extraMs = 0): void {
    for (const endpoint of this.#endpoints) {
      if (to !== undefined && endpoint.name !== to) continue
      if (!this.#reaches(from, endpoint)) continue
      this.#deliver(from, endpoint, message, extraMs)
      if (this.#random.chance(this.faults.duplicateChance)) {
        this.#deliver(from, endpoint, message, extraMs)
      }
    }
  }

  /** Virtual milliseconds that a message may take now. */
  delayMs(): number {
    const { delayMsMin, delayMsMax, spikeChance } = this.faults
    const spikeMs = this.#random.chance(spikeChance) ? this.#random.below(SPIKE_MS) : 0
    return this.#random.between(delayMsMin, delayMsMax) + spikeMs
  }

  #reaches(from: Endpoint, to: Endpoint): boolean {
    return from.name !== to.name && !this.isCut(from, to)
  }

  #deliver(from: Endpoint, to: Endpoint, message: Uint8Array, extraMs: number): void {
    this.sent++
    if (this.#random.chance(this.faults.lossChance)) return
    this.#world.after(this.delayMs() + extraMs, () => {
      this.#world.note(`${from.id}>${to.id} ${textOf(message)}`)
      to.receive(from.name, message)
    })
  }
}

/** Enough of a message to tell it from others. */
function textOf(message: Uint8Array): string {
  return `${message[0]}/${message.length}/${Buffer.from(message.subarray(1, 24)).toString('hex')}`
}
