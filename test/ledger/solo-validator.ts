/** A validator that is a quorum by itself, on a clock that stands still: it makes a block when it is asked for one. */
import { setImmediate } from 'node:timers/promises'
import { assert } from '../../src/base/assert.ts'
import type { SigningKey } from '../../src/base/keys.ts'
import { silentLogger } from '../../src/base/ports.ts'
import type { BeaconKey } from '../../src/ledger/beacon.ts'
import { createDriver } from '../../src/ledger/consensus/driver.ts'
import type { ConsensusDriver } from '../../src/ledger/consensus/driver-types.ts'
import type { AppendFile } from '../../src/ledger/consensus/ports.ts'
import type { FinalizedBlock } from '../../src/ledger/engine.ts'
import type { Mempool } from '../../src/ledger/mempool.ts'
import type { Replica } from '../../src/ledger/replica.ts'

export interface SoloInit {
  /** Open. */
  replica: Replica
  mempool: Pick<Mempool, 'candidates'>
  validatorKey: SigningKey
  beaconKey: BeaconKey
  /** @default in memory */
  files?: readonly [AppendFile, AppendFile]
}

export interface SoloValidator {
  readonly driver: ConsensusDriver
  /** Proposes, finalizes and commits the next block at this time of the wall clock. One call at a time. */
  next(nowMs: number): Promise<FinalizedBlock>
  stop(): Promise<void>
}

export async function startSolo(init: SoloInit): Promise<SoloValidator> {
  const { replica } = init
  const timers = new Set<() => void>()
  let time = 0
  const driver = createDriver({
    ...init,
    files: init.files ?? [memoryFile(), memoryFile()],
    clock: {
      nowMs: () => time,
      setTimer: (_, fire) => {
        timers.add(fire)
        return () => timers.delete(fire)
      }
    },
    random: { below: () => 0 },
    net: {
      broadcast: () => {},
      send: () => {},
      peers: () => [],
      onMessage: () => {},
      punish: () => {}
    },
    logger: silentLogger
  })
  await driver.start()
  /** Between two heights the only timer is that of the next one. */
  const isWaiting = (): boolean =>
    driver.position.view === 0n &&
    driver.position.height === replica.height + 1n &&
    timers.size === 1
  return {
    driver,
    next: async nowMs => {
      time = nowMs
      const height = replica.height + 1n
      while (!isWaiting()) await setImmediate()
      const [begin] = timers
      timers.clear()
      begin!()
      while (replica.height < height) {
        assert(driver.state.kind !== 'read-only', 'the validator goes on')
        await setImmediate()
      }
      return { block: replica.block(height)!, cert: replica.certificate(height)! }
    },
    stop: () => driver.stop()
  }
}

export function memoryFile(): AppendFile {
  let bytes = Buffer.alloc(0)
  return {
    read: async () => new Uint8Array(bytes),
    truncate: async length => {
      bytes = bytes.subarray(0, length)
    },
    append: async more => {
      bytes = Buffer.concat([bytes, more])
    },
    flush: async () => {},
    close: async () => {}
  }
}
