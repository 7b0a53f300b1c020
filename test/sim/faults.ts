/** Faults over time: partitions, crashes, clocks, damaged disks; and the end of them all. */
import { scanFrames } from '../../src/ledger/consensus/frames.ts'
import type { FileImage } from './disk.ts'
import { CALM, type Network } from './network.ts'
import type { SimNode } from './node.ts'
import type { Prng } from './prng.ts'
import type { Scenario } from './scenario.ts'
import type { World } from './world.ts'

/** After the end of the faults clocks differ by less than the protocol's precision. */
const HEALED_SKEW_MS = 50
const REBOOT_MS_MIN = 20
const JUMP_MS_MAX = 5_000

export class Faults {
  readonly #world: World
  readonly #network: Network
  readonly #nodes: readonly SimNode[]
  readonly #scenario: Scenario
  readonly #random: Prng
  #isOver = false

  constructor(init: {
    world: World
    network: Network
    nodes: readonly SimNode[]
    scenario: Scenario
    random: Prng
  }) {
    this.#world = init.world
    this.#network = init.network
    this.#nodes = init.nodes
    this.#scenario = init.scenario
    this.#random = init.random
  }

  begin(): void {
    const { links, disk, partitionMs, crashMs, skewMs, jumpMs, flipsBit, failsDisk, chaosMs } =
      this.#scenario
    this.#network.faults = links
    for (const node of this.#nodes) {
      node.disk.faults = { ...disk }
      node.skewMs = this.#random.between(-skewMs, skewMs)
    }
    this.#every(partitionMs, () => this.#partition())
    this.#every(crashMs, () => this.#crash())
    this.#every(jumpMs, () => {
      this.#random.pick(this.#nodes).skewMs = this.#random.between(-JUMP_MS_MAX, JUMP_MS_MAX)
    })
    this.#every(REBOOT_MS_MIN, () => this.#rebootSome())
    if (flipsBit) this.#world.after(this.#random.below(chaosMs), () => this.#flipBit())
    if (failsDisk) this.#world.after(this.#random.below(chaosMs), () => this.#failDisk())
  }

  /** Everything works again from here on; Byzantine nodes stay what they are. */
  end(): void {
    this.#isOver = true
    this.#network.heal()
    this.#network.faults = CALM
    this.#splitTwins()
    for (const node of this.#nodes) {
      const { hasDiskErrors } = node
      node.disk.faults = { crashChance: 0, errorChance: hasDiskErrors ? 1 : 0, latencyMsMax: 2 }
      node.skewMs = this.#random.between(-HEALED_SKEW_MS, HEALED_SKEW_MS)
      node.boot()
    }
  }

  #every(ms: number, happen: () => void): void {
    if (ms === 0) return
    const next = (): void => {
      if (this.#isOver) return
      happen()
      this.#world.after(this.#random.between(1, 2 * ms), next)
    }
    this.#world.after(this.#random.between(1, 2 * ms), next)
  }

  /** One node, or the power of the whole house. */
  #crash(): void {
    const isBlackout = this.#random.chance(this.#scenario.blackoutChance)
    const hit = isBlackout ? this.#nodes : [this.#random.pick(this.#nodes)]
    for (const node of hit) node.crash(isBlackout || this.#random.chance(0.7))
  }

  #rebootSome(): void {
    const { downMsMax } = this.#scenario
    for (const node of this.#nodes) {
      if (node.isUp) continue
      if (this.#random.chance(REBOOT_MS_MIN / downMsMax)) node.boot()
    }
  }

  /** Cuts some links, one way or both; or none. */
  #partition(): void {
    this.#network.heal()
    this.#splitTwins()
    if (this.#random.chance(0.3)) return
    const isSplit = this.#random.chance(0.5)
    const side = this.#nodes.map(() => this.#random.chance(0.5))
    for (const [i, from] of this.#nodes.entries()) {
      for (const [j, to] of this.#nodes.entries()) {
        if (isSplit ? side[i] !== side[j] : this.#random.chance(0.25)) this.#network.cut(from, to)
      }
    }
  }

  /** Each peer sees one of two twins, and may see the other one later. */
  #splitTwins(): void {
    const twins = this.#nodes.filter(({ id }) => id.endsWith('b'))
    for (const twin of twins) {
      const other = this.#nodes.find(({ id }) => id === `${twin.name}a`)!
      for (const peer of this.#nodes) {
        if (peer.name === twin.name || this.#random.chance(0.2)) continue
        const hidden = this.#random.chance(0.5) ? twin : other
        this.#network.cut(hidden, peer)
        this.#network.cut(peer, hidden)
      }
    }
  }

  /** One bit of a frame that has another one behind it. */
  #flipBit(): void {
    const node = this.#honest()
    node.crash(true)
    const found = node.disk.files
      .map(file => ({ file, below: startOfLastFrame(file) }))
      .find(({ below }) => below > 0)
    if (found === undefined) return
    found.file.flip(found.below, this.#random)
    node.isDamaged = true
    this.#world.note(`${node.id} has a flipped bit`)
  }

  #failDisk(): void {
    const node = this.#honest()
    node.hasDiskErrors = true
    node.disk.faults = { ...node.disk.faults, errorChance: 1, crashChance: 0 }
    this.#world.note(`${node.id} has a failing disk`)
  }

  /** Always the same one: one validator of four may fail for good. */
  #honest(): SimNode {
    return this.#nodes[0]!
  }
}

function startOfLastFrame(file: FileImage): number {
  const bytes = file.content()
  const { frames } = scanFrames(bytes)
  let start = 0
  for (let at = 0, count = 0; count < frames.length; count++) {
    start = at
    at += 20 + Buffer.from(bytes.subarray(at, at + 4)).readUInt32BE()
  }
  return start
}
