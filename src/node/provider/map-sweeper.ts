/** Once per period: repair maps that no deal needs any more go. */
import { messageOf } from '../../base/errors.ts'
import type { Logger, Startable } from '../../base/ports.ts'
import type { Replica } from '../../ledger/index.ts'
import type { RepairMaps } from './repair-maps.ts'

export interface MapSweeperComponents {
  replica: Replica
  maps: RepairMaps
  logger: Logger
}

export class MapSweeper implements Startable {
  readonly #components: MapSweeperComponents
  #unsubscribe: () => void = () => {}
  #period = -1n
  #working: Promise<void> = Promise.resolve()

  constructor(components: MapSweeperComponents) {
    this.#components = components
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#components.replica.onBlock(() => this.#look())
  }

  async stop(): Promise<void> {
    this.#unsubscribe()
    await this.#working
  }

  #look(): void {
    const { replica, maps, logger } = this.#components
    const period = replica.period()
    if (period === this.#period) return
    this.#period = period
    this.#working = this.#working
      .then(() => maps.sweep())
      .catch(error => logger.warn('repair-map.sweep', { reason: messageOf(error) }))
  }
}
