/** Serves light clients: final headers with their sets, and records with proofs. Every replica does. */
import { HoldfastError } from '../../base/errors.ts'
import type { Clock } from '../../base/ports.ts'
import { encodeLightBlock, type Replica } from '../../ledger/index.ts'
import { LIGHT_PROTOCOL } from '../net/protocols.ts'
import { serve } from '../net/rpc.ts'
import type { Net } from '../net/types.ts'
import { RateLimit } from '../rate-limit.ts'
import { parseMessage } from '../wire/schema.ts'
import {
  LIGHT_REQUEST_BYTES_MAX,
  lightRequest,
  type RecordQuery,
  recordToWire
} from './light-messages.ts'
import { waitForBlock } from './wait-for-block.ts'

/** What a peer may ask for at once, and per second after that: a block is one, each record is one. */
const BURST = 512
const PER_SECOND = 64
/** A height that is decided already may be a moment away from here: it is waited for. */
const AHEAD_HEIGHTS_MAX = 2n
const AHEAD_WAIT_MS = 3_000
const AHEAD_WAITING_MAX = 64

export interface LightServeComponents {
  net: Net
  replica: Replica
  clock: Clock
  /** Ends what waits. */
  signal: AbortSignal
}

export function serveLight({ net, replica, clock, signal }: LightServeComponents): void {
  const limit = new RateLimit({ clock, burst: BURST, perSecond: PER_SECOND })
  const blocks = new Blocks(replica, signal)
  const options = { requestBytesMax: LIGHT_REQUEST_BYTES_MAX }
  serve(net, LIGHT_PROTOCOL, options, async (body, { peerId }) => {
    const request = parseMessage(lightRequest, body)
    if (!limit.take(peerId, request.op === 'block' ? 1 : request.records.length)) {
      throw new HoldfastError('REMOTE_REFUSED', 'too many questions', { retryable: true })
    }
    return request.op === 'block'
      ? { block: await blocks.get(request.height) }
      : recordsOf(replica, request.records)
  })
}

function recordsOf(replica: Replica, queries: readonly RecordQuery[]): object {
  // no await: all are of one height
  const served = queries.map(({ table, key }) => replica.light.record(table, key))
  const [first] = served
  if (first === undefined) {
    throw new HoldfastError('NOT_FOUND', 'records are proven from the next block on', {
      retryable: true
    })
  }
  return {
    height: Number(first.headerHeight),
    records: served.map(each => recordToWire(each!.record))
  }
}

class Blocks {
  readonly #replica: Replica
  readonly #signal: AbortSignal
  #waiting = 0

  constructor(replica: Replica, signal: AbortSignal) {
    this.#replica = replica
    this.#signal = signal
  }

  /** @throws HoldfastError NOT_FOUND */
  async get(wanted: number | undefined): Promise<Uint8Array> {
    const height = wanted === undefined ? this.#replica.height : BigInt(wanted)
    await this.#arrival(height)
    const block = height === 0n ? undefined : this.#replica.light.block(height)
    if (block !== undefined) return encodeLightBlock(block)
    throw new HoldfastError('NOT_FOUND', `there is no light block of height ${height} here`)
  }

  async #arrival(height: bigint): Promise<void> {
    const ahead = height - this.#replica.height
    if (ahead <= 0n || ahead > AHEAD_HEIGHTS_MAX || this.#waiting >= AHEAD_WAITING_MAX) return
    this.#waiting++
    try {
      await waitForBlock(this.#replica, height, AHEAD_WAIT_MS, this.#signal)
    } finally {
      this.#waiting--
    }
  }
}
