/** One validator's machine: the real driver, replica and mempool over a simulated disk, clock and network. */
import type { Logger } from '../../src/base/ports.ts'
import { silentLogger } from '../../src/base/ports.ts'
import type { BlockResult } from '../../src/ledger/block-result.ts'
import { createDriver } from '../../src/ledger/consensus/driver.ts'
import type { ConsensusDriver } from '../../src/ledger/consensus/driver-types.ts'
import type { Rules } from '../../src/ledger/consensus/height-run.ts'
import type { Misbehaviour, Timeouts, Verifier } from '../../src/ledger/consensus/types.ts'
import type { Genesis } from '../../src/ledger/genesis.ts'
import { Mempool } from '../../src/ledger/mempool.ts'
import { createReplica, type Replica } from '../../src/ledger/replica.ts'
import { Disk, type Process } from './disk.ts'
import { type ValidatorKeys, validatorKeys } from './keys.ts'
import type { Endpoint, Network } from './network.ts'
import type { Prng } from './prng.ts'
import { simDb } from './sim-db.ts'
import type { World } from './world.ts'

/** Small, so that files change often. */
const ROTATE_BYTES = 20_000

/** What the simulation hears from a node. */
export interface NodeObserver {
  sent(node: SimNode, bytes: Uint8Array): void
  applied(node: SimNode, result: BlockResult): void
  evidence(node: SimNode, evidence: Misbehaviour): void
  punished(node: SimNode, peer: string, reason: string): void
  problem(node: SimNode, problem: string): void
}

export interface NodeInit {
  id: string
  index: number
  genesis: Genesis
  world: World
  network: Network
  random: Prng
  verifier: Verifier
  timeouts: Timeouts
  rules: Rules
  observer: NodeObserver
  /** Twins share a key: they must not notice. */
  isTwin: boolean
}

/** A process of the node, from boot to crash. */
interface Running extends Process {
  receive: (from: string, message: Uint8Array) => void
  replica?: Replica
  mempool?: Mempool
  driver?: ConsensusDriver
}

/** Changes what leaves a Byzantine node: nothing, other bytes, later. */
export type Tamper = (bytes: Uint8Array) => { bytes: Uint8Array; extraMs: number }[]

export class SimNode implements Endpoint {
  readonly id: string
  readonly name: string
  readonly index: number
  readonly keys: ValidatorKeys
  readonly disk: Disk
  /** Added to the world's time. */
  skewMs = 0
  tamper: Tamper | undefined
  /** Hears everything that comes in. */
  overhear: ((message: Uint8Array) => void) | undefined
  /** Its disk was damaged on purpose: it has to stay down. */
  isDamaged = false
  /** Its disk fails writes now: it may be read-only. */
  hasDiskErrors = false
  crashes = 0
  readonly #init: NodeInit
  #running: Running | undefined
  /** Blocks are asked for from others now and then, besides consensus. */
  #isBehind = false

  constructor(init: NodeInit) {
    this.#init = init
    this.id = init.id
    this.index = init.index
    this.name = `v${init.index}`
    this.keys = validatorKeys(init.index)
    this.disk = new Disk(init.world, init.random.split('disk'), () => this.crash(true))
  }

  get isUp(): boolean {
    return this.#running !== undefined
  }

  get replica(): Replica | undefined {
    return this.#running?.replica
  }

  get mempool(): Mempool | undefined {
    return this.#running?.mempool
  }

  get driver(): ConsensusDriver | undefined {
    return this.#running?.driver
  }

  /** Height of the replica; 0 while down. */
  get height(): bigint {
    return this.replica?.height ?? 0n
  }

  receive(from: string, message: Uint8Array): void {
    this.overhear?.(message)
    this.#running?.receive(from, message)
  }

  /** Starts a process; whatever goes wrong is told to the observer. */
  boot(): void {
    if (this.#running !== undefined) return
    const running: Running = { isDead: false, receive: () => {} }
    this.#running = running
    this.#init.world.note(`${this.id} boots`)
    this.#boot(running).catch((error: unknown) => {
      if (running.isDead) return
      this.#kill(running)
      this.#init.observer.problem(this, String(error))
    })
  }

  /** @param isPowerCut unsynced writes are lost or torn; otherwise the process alone dies */
  crash(isPowerCut: boolean): void {
    if (this.#running === undefined) return
    this.#init.world.note(`${this.id} crashes${isPowerCut ? ' with its power' : ''}`)
    this.crashes++
    this.#kill(this.#running)
    if (isPowerCut) this.disk.powerCut()
  }

  /** Looks for newer blocks at another node, as a follower does. */
  follow(source: SimNode): void {
    const [running, from] = [this.#running, source.replica]
    if (running?.replica === undefined || from === undefined) return
    const height = running.replica.height + 1n
    if (!this.#isBehind || from.height < height) return
    this.#isBehind = false
    const block = from.block(height)
    const cert = from.certificate(height)
    if (block === undefined || cert === undefined) return
    this.#init.world.after(this.#init.network.delayMs(), () => {
      if (running.isDead) return
      running.replica?.applyFinalized(block, cert).catch(() => {
        // consensus was faster, or the replica has halted: the checker sees either
      })
    })
  }

  #kill(running: Running): void {
    running.isDead = true
    this.#running = undefined
  }

  async #boot(running: Running): Promise<void> {
    const { genesis, observer } = this.#init
    const db = simDb(this.disk, running)
    const replica = createReplica({ db, genesis, logger: this.#logger(running) })
    await replica.open()
    const mempool = new Mempool(replica)
    replica.onBlock(result => {
      if (!running.isDead) observer.applied(this, result)
    })
    running.replica = replica
    running.mempool = mempool
    running.driver = this.#createDriver(running, replica, mempool)
    await running.driver.start()
  }

  #createDriver(running: Running, replica: Replica, mempool: Mempool): ConsensusDriver {
    const { world, random, verifier, timeouts, rules, observer, isTwin } = this.#init
    return createDriver({
      replica,
      mempool,
      validatorKey: this.keys.vote,
      beaconKey: this.keys.beacon,
      files: this.disk.openFiles(running),
      clock: {
        nowMs: () => this.#nowMs(),
        setTimer: (afterMs, fire) =>
          world.after(afterMs, () => {
            if (!running.isDead) fire()
          })
      },
      random: random.split(`driver/${this.crashes}`),
      net: this.#net(running),
      logger: this.#logger(running),
      timeouts,
      verifier,
      rules,
      journalRotateBytes: ROTATE_BYTES,
      refusesForeignVotes: !isTwin,
      onBehind: () => {
        this.#isBehind = true
      },
      onEvidence: evidence => observer.evidence(this, evidence)
    })
  }

  #nowMs(): number {
    const { genesis, world } = this.#init
    return Number(genesis.genesisTimeMs) + world.nowMs + this.skewMs
  }

  #net(running: Running): Parameters<typeof createDriver>[0]['net'] {
    const send = (to: string | undefined, bytes: Uint8Array): void => {
      if (running.isDead) return
      this.say(bytes, to)
    }
    return {
      broadcast: bytes => send(undefined, bytes),
      send,
      peers: () => this.#init.network.peersOf(this),
      onMessage: handler => {
        running.receive = handler
      },
      punish: (peer, reason) => {
        this.#init.world.note(`${this.id} punishes ${peer}: ${reason}`)
        this.#init.observer.punished(this, peer, reason)
      }
    }
  }

  /** Puts a message on the network. */
  say(bytes: Uint8Array, to?: string): void {
    const { network, observer } = this.#init
    const letters = this.tamper?.(bytes) ?? [{ bytes, extraMs: 0 }]
    for (const letter of letters) {
      observer.sent(this, letter.bytes)
      network.send(this, to, letter.bytes, letter.extraMs)
    }
  }

  #logger(running: Running): Logger {
    const { world, observer } = this.#init
    return {
      ...silentLogger,
      warn: (event, facts) => world.note(`${this.id} ${event} ${textOf(facts)}`),
      error: (event, facts) => {
        if (running.isDead) return
        world.note(`${this.id} ${event} ${textOf(facts)}`)
        observer.problem(this, `${event} ${textOf(facts)}`)
      }
    }
  }
}

function textOf(facts: Record<string, unknown> = {}): string {
  return Object.entries(facts)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ')
}
