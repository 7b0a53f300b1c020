/** Serves the snapshots that our replica keeps. */
import { HoldfastError } from '../../base/errors.ts'
import type { Clock } from '../../base/ports.ts'
import type { Replica } from '../../ledger/index.ts'
import { SNAPSHOT_PROTOCOL } from '../net/protocols.ts'
import { serve } from '../net/rpc.ts'
import type { Net } from '../net/types.ts'
import { RateLimit } from '../rate-limit.ts'
import { parseMessage } from '../wire/schema.ts'
import {
  type ListedSnapshot,
  SNAPSHOT_REQUEST_BYTES_MAX,
  SNAPSHOTS_LISTED_MAX,
  snapshotRequest
} from './snapshot-messages.ts'

/** Questions of one peer at once, and per second after that; a chunk is up to 1 MiB. */
const BURST = 64
const PER_SECOND = 16
/** Chunks in memory on their way out, of all peers. */
const SERVING_MAX = 16

export interface SnapshotServeComponents {
  net: Net
  replica: Replica
  clock: Clock
}

export function serveSnapshots({ net, replica, clock }: SnapshotServeComponents): void {
  const limit = new RateLimit({ clock, burst: BURST, perSecond: PER_SECOND })
  let serving = 0
  const options = { requestBytesMax: SNAPSHOT_REQUEST_BYTES_MAX }
  serve(net, SNAPSHOT_PROTOCOL, options, async (body, { peerId }) => {
    const request = parseMessage(snapshotRequest, body)
    if (serving >= SERVING_MAX || !limit.take(peerId, 1)) {
      throw new HoldfastError('REMOTE_REFUSED', 'too many questions', { retryable: true })
    }
    if (request.op === 'list') return { snapshots: listOf(replica) }
    serving++
    try {
      return { chunk: await chunkOf(replica, request.height, request.index) }
    } finally {
      serving--
    }
  })
}

function listOf({ snapshots }: Replica): ListedSnapshot[] {
  const newest = snapshots.list().slice(-SNAPSHOTS_LISTED_MAX)
  return newest.map(({ height, appHash, chunks, bytes }) => {
    return { height: Number(height), appHash, chunks, bytes: Number(bytes) }
  })
}

async function chunkOf({ snapshots }: Replica, height: number, index: number): Promise<Uint8Array> {
  const chunk = await snapshots.chunk(BigInt(height), index)
  if (chunk !== undefined) return chunk
  throw new HoldfastError('NOT_FOUND', `no chunk ${index} of a snapshot at height ${height} here`)
}
