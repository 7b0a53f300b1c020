/** What the client's workers do: the CPU work of a put and of a get. */
import type { Commitment } from '../../proofs/index.ts'
import type { WorkerPool } from '../workers/pool.ts'
import type { DecodeJob } from './decode-job.ts'
import type { EncodeJob } from './encode-job.ts'

export interface SegmentTasks {
  /** A segment → the commitments of its pieces, by piece index. */
  encode: { job: EncodeJob; result: Commitment[] }
  /** Shares of a run of stripes → the plaintext of each. */
  decode: { job: DecodeJob; result: Uint8Array[] }
}

export type SegmentWorkers = WorkerPool<SegmentTasks>
