/** Messages on their way, in no order. */
import type { Message } from '../../../src/ledger/consensus/types.ts'
import type { TestRandom } from '../../proofs/random.ts'
import type { Audit } from './audit.ts'

const POOL_MESSAGES_MAX = 4_000
/** How far messages overtake each other once the network has healed. */
const OVERTAKEN_MAX = 8

export interface Flight {
  from: string
  to: string
  message: Message
}

export class Pool {
  #flights: Flight[] = []
  readonly #random: TestRandom
  readonly #audit: Audit

  constructor(random: TestRandom, audit: Audit) {
    this.#random = random
    this.#audit = audit
  }

  post(flight: Flight): void {
    if (this.#flights.length < POOL_MESSAGES_MAX) this.#flights.push(flight)
    else this.#audit.problem('memory: too many messages')
  }

  /** Any of them: one in ten is lost, one in ten comes again. */
  any(): Flight | undefined {
    if (this.#flights.length === 0) return undefined
    const at = this.#random.int(this.#flights.length)
    const flight = this.#flights[at]!
    const fate = this.#random.int(10)
    if (fate > 0) {
      this.#flights[at] = this.#flights.at(-1)!
      this.#flights.pop()
    }
    return fate === 1 ? undefined : flight
  }

  /** One of the oldest; nothing is lost. */
  next(): Flight | undefined {
    const at = this.#random.int(Math.max(1, Math.min(this.#flights.length, OVERTAKEN_MAX)))
    return this.#flights.splice(at, 1)[0]
  }
}
