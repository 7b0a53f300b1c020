/**
 * Gives pieces back. An intent names pieces that must not stay in a deal: those of a put that never got its name, and
 * those of an object that was removed or replaced. Intents survive a crash; each is retried until every deal's revision
 * without the pieces is signed by both sides, or the deal is over.
 */
import { toHex } from '../../base/bytes.ts'
import { messageOf } from '../../base/errors.ts'
import type { Logger, Startable } from '../../base/ports.ts'
import type { ClientDeals } from './client-deals.ts'
import type { Intent, Names } from './names.ts'

const RETRY_AFTER_MS = 15_000

export interface ReleaserComponents {
  names: Names
  deals: ClientDeals
  logger: Logger
  signal: AbortSignal
}

export class Releaser implements Startable {
  readonly #components: ReleaserComponents
  /** Intents of puts that are still running. */
  readonly #active = new Set<string>()
  #work: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #stopped = true

  constructor(components: ReleaserComponents) {
    this.#components = components
  }

  async start(): Promise<void> {
    this.#stopped = false
    void this.wake()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#work
  }

  /** Records what has to be given back unless the put gets its name. Durable when it resolves. */
  async begin(id: string, intent: Intent): Promise<void> {
    this.#active.add(id)
    await this.#components.names.setIntent(id, intent)
  }

  /** The put got its name (and its intent ended with it), or there was nothing to give back. */
  end(id: string): void {
    this.#active.delete(id)
    void this.wake()
  }

  /** The put failed: its pieces are given back from now on. */
  abandon(id: string): void {
    this.end(id)
  }

  /** Looks at the open intents now. Resolves when each was tried once. */
  wake(): Promise<void> {
    if (this.#stopped) return this.#work
    clearTimeout(this.#timer)
    this.#work = this.#work.then(() => this.#releaseAll())
    return this.#work
  }

  async #releaseAll(): Promise<void> {
    const { names, logger } = this.#components
    let left = false
    for (const { id, intent } of await names.intents()) {
      if (this.#stopped || this.#active.has(id)) continue
      try {
        await this.#release(intent)
        await names.endIntent(id)
      } catch (error) {
        left = true
        logger.info('release.postponed', { intent: id, reason: messageOf(error) })
      }
    }
    if (left && !this.#stopped) {
      this.#timer = setTimeout(() => void this.wake(), RETRY_AFTER_MS)
      this.#timer.unref()
    }
  }

  async #release({ pieces }: Intent): Promise<void> {
    const { deals, signal } = this.#components
    const byDeal = new Map<string, { deal: Uint8Array; roots: Uint8Array[] }>()
    for (const { deal, root } of pieces) {
      const entry = byDeal.get(toHex(deal)) ?? { deal, roots: [] }
      entry.roots.push(root)
      byDeal.set(toHex(deal), entry)
    }
    const results = await Promise.allSettled(
      [...byDeal.values()].map(({ deal, roots }) => deals.removePieces(deal, roots, signal))
    )
    const failed = results.find(result => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
}
