/** Uploads the pieces of a put, segment by segment, and replaces providers that fail. */
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { PutProgress } from '../control/types.ts'
import type { ClientContext } from './context.ts'
import type { EncodedSegment } from './encode.ts'
import { uploadPiece } from './piece-upload.ts'
import type { Holder, Placement } from './placement.ts'

export interface TransferInit {
  signal: AbortSignal
  onProgress?: (progress: PutProgress) => void
}

export class Transfer {
  readonly #client: ClientContext
  readonly #placement: Placement
  readonly #init: TransferInit
  #segments = 0
  #readBytes = 0
  #durableBytes = 0

  constructor(client: ClientContext, placement: Placement, init: TransferInit) {
    this.#client = client
    this.#placement = placement
    this.#init = init
  }

  /** Plaintext bytes of all segments so far. */
  get readBytes(): number {
    return this.#readBytes
  }

  /**
   * Stores every piece of a segment and returns who holds each, by piece index.
   * @throws HoldfastError PUT_INCOMPLETE naming the pieces without a durable receipt
   */
  async upload(segment: EncodedSegment): Promise<Holder[]> {
    const { n, plainBytes } = segment.layout
    const number = this.#segments++
    this.#readBytes += plainBytes
    this.#report()
    const results = await this.#uploadAll(segment, number)
    const missing = results.flatMap((result, index) =>
      result instanceof Error ? [{ segment: number, index, reason: messageOf(result) }] : []
    )
    this.#init.signal.throwIfAborted()
    if (missing.length > 0) throw incomplete(missing, n)
    this.#durableBytes += plainBytes
    this.#report()
    return results as Holder[]
  }

  /** Piece i of segment s goes to position (i + s) mod n, so that data shares spread evenly. */
  #uploadAll(segment: EncodedSegment, number: number): Promise<(Holder | Error)[]> {
    const { n, plainBytes } = segment.layout
    let stored = 0
    const one = async (_: Uint8Array, index: number): Promise<Holder | Error> => {
      try {
        const holder = await this.#uploadOne(segment, index, (index + number) % n)
        stored++
        const durableBytes = this.#durableBytes + Math.floor((plainBytes * stored) / (n + 1))
        this.#init.onProgress?.({ readBytes: this.#readBytes, durableBytes })
        return holder
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error))
      }
    }
    return Promise.all(segment.pieces.map(one))
  }

  /** Tries the provider at a position, then replacements until none is left. */
  async #uploadOne(segment: EncodedSegment, index: number, position: number): Promise<Holder> {
    const { quality, logger, network, clock, net } = this.#client
    const { signal } = this.#init
    const piece = segment.pieces[index]!
    const { root } = segment.commitments[index]!
    for (;;) {
      const holder = this.#placement.holder(position)
      const startedAt = clock.nowMs()
      try {
        await uploadPiece(net, {
          ...holder,
          genesisHash: network.genesisHash,
          root,
          piece,
          signal
        })
        quality.recordTransfer(holder.peerId, piece.length, clock.nowMs() - startedAt)
        return holder
      } catch (error) {
        if (signal.aborted) throw error
        quality.recordFailure(holder.peerId, messageOf(error))
        logger.info('upload.failed', { provider: holder.peerId, reason: messageOf(error) })
        if (!(await this.#placement.replace(position, holder))) throw error
      }
    }
  }

  #report(): void {
    this.#init.onProgress?.({ readBytes: this.#readBytes, durableBytes: this.#durableBytes })
  }
}

function incomplete(
  missing: { segment: number; index: number; reason: string }[],
  n: number
): HoldfastError {
  const first = missing[0]!
  return new HoldfastError(
    'PUT_INCOMPLETE',
    `${missing.length} of ${n} pieces of segment ${first.segment} could not be stored: ${first.reason}`,
    {
      details: { missing },
      hint: 'nothing was stored under the path; try again, or with a profile that needs fewer providers',
      retryable: true
    }
  )
}
