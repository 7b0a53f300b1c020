/** A ledger that several peers in memory serve, honestly or not, and a replica that begins. */
import { utf8 } from '../../../src/base/bytes.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { signingKeyFromSeed } from '../../../src/base/keys.ts'
import type { Clock, Logger } from '../../../src/base/ports.ts'
import type { Replica } from '../../../src/ledger/replica.ts'
import { serveLight } from '../../../src/node/chain/light-serve.ts'
import { serveSnapshots } from '../../../src/node/chain/snapshot-serve.ts'
import { StateSync } from '../../../src/node/chain/state-sync.ts'
import {
  extendTo,
  Ledgers,
  type OpenLedger,
  snapshotGenesis,
  TWO_CHUNKS
} from '../../ledger/snapshot-support.ts'
import { type MemoryNet, MemoryNetwork } from '../memory-net.ts'

export const SNAPSHOT_HEIGHT = 8n
export const HEIGHT = 12n

/** Peers in memory are there at once. */
const SHORT = { firstPeerMs: 300, peersMs: 500 }

export interface LogLine {
  event: string
  facts: Record<string, unknown>
}

export class SyncWorld {
  readonly ledgers: Ledgers = new Ledgers()
  network: MemoryNetwork = new MemoryNetwork()
  lines: LogLine[] = []
  readonly stop: AbortController = new AbortController()
  source!: OpenLedger

  static async open(holders: number = TWO_CHUNKS): Promise<SyncWorld> {
    const world = new SyncWorld()
    const snapshots = { everyHeights: SNAPSHOT_HEIGHT }
    world.source = await world.ledgers.open(snapshotGenesis(holders), { snapshots })
    await extendTo(world.source, HEIGHT)
    await world.source.replica.snapshots.idle()
    return world
  }

  /** The time of the newest block. */
  get clock(): Clock {
    return { nowMs: () => this.source.replica.head().timeMs }
  }

  get logger(): Logger {
    const log = (event: string, facts: Record<string, unknown> = {}): void => {
      this.lines.push({ event, facts })
    }
    const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger }
    return logger
  }

  join(name: string, roles: string[] = ['validator']): MemoryNet {
    return this.network.join(signingKeyFromSeed(sha256(utf8(`sync/${name}`))), roles)
  }

  /** A peer that serves the ledger. */
  honest(name: string, replica: Replica = this.source.replica): MemoryNet {
    const net = this.join(name)
    const serving = { net, replica, clock: this.clock, signal: this.stop.signal }
    serveLight(serving)
    serveSnapshots(serving)
    return net
  }

  /** A replica at the genesis of the same network. */
  async fresh(behindHeights = 5): Promise<{ ledger: OpenLedger; sync: StateSync; net: MemoryNet }> {
    const ledger = await this.ledgers.open(this.source.replica.genesis)
    const net = this.join('fresh', ['client'])
    const { db, replica } = ledger
    const { clock, logger } = this
    const sync = new StateSync({ net, replica, db, clock, logger, behindHeights, ...SHORT })
    return { ledger, sync, net }
  }

  /** The same ledger among other peers. */
  newNetwork(): void {
    this.network = new MemoryNetwork()
    this.lines = []
  }

  async close(): Promise<void> {
    this.stop.abort()
    await this.ledgers.close()
  }
}
