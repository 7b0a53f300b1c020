/**
 * Uploads the pieces of a put, several segments at once, and replaces providers that fail. A provider gets one stream
 * for each segment under way; the wait for its receipts is filled with the bytes of the next segment.
 */
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

/** A segment without its bytes, and who holds each of its pieces, by piece index. */
export interface UploadedSegment extends Omit<EncodedSegment, 'pieces' | 'release'> {
  holders: Holder[]
}

/** What an upload needs of a segment. */
export type SegmentPieces = Pick<EncodedSegment, 'layout' | 'commitments' | 'pieces'>

export class Transfer {
  readonly #client: ClientContext
  readonly #placement: Placement
  readonly #onProgress: (progress: PutProgress) => void
  readonly #failed = new AbortController()
  readonly #uploads: Promise<UploadedSegment>[] = []
  #readBytes = 0
  #durableBytes = 0
  /** Aborted by the caller's signal, and with the first error of an upload. */
  readonly signal: AbortSignal

  constructor(client: ClientContext, placement: Placement, init: TransferInit) {
    this.#client = client
    this.#placement = placement
    this.#onProgress = init.onProgress ?? (() => {})
    this.signal = AbortSignal.any([init.signal, this.#failed.signal])
  }

  /** Segments so far. */
  get segments(): number {
    return this.#uploads.length
  }

  /** Plaintext bytes of all segments so far. */
  get readBytes(): number {
    return this.#readBytes
  }

  /** Starts to store the pieces of the next segment, and releases it when that has ended. */
  add(segment: EncodedSegment): void {
    this.#readBytes += segment.layout.plainBytes
    this.#report(0)
    const upload = this.#upload(segment, this.segments).finally(segment.release)
    // `finish` tells; until then the signal has.
    upload.catch(error => this.#failed.abort(error))
    this.#uploads.push(upload)
  }

  /**
   * All segments in order, once every piece has its durable receipt.
   * @throws HoldfastError PUT_INCOMPLETE naming the pieces without one
   */
  async finish(): Promise<UploadedSegment[]> {
    return await Promise.all(this.#uploads)
  }

  /** Ends all uploads because of an error; no stream is left when it resolves. */
  async cancel(error: unknown): Promise<void> {
    this.#failed.abort(error)
    await Promise.allSettled(this.#uploads)
  }

  async #upload(segment: EncodedSegment, number: number): Promise<UploadedSegment> {
    const { layout, wrappedKey, commitments, pieces } = segment
    const holders = await this.#uploadPieces(segment, number, [...pieces.keys()])
    return { layout, wrappedKey, commitments, holders }
  }

  /**
   * Stores some pieces of a segment again, with spares: those who gave receipts for them are gone.
   * @param gone who held each piece of `indexes`
   * @returns who holds them now, in the order of `indexes`
   * @throws HoldfastError PUT_INCOMPLETE naming the pieces that nobody takes
   */
  async move(
    segment: SegmentPieces,
    number: number,
    indexes: readonly number[],
    gone: readonly Holder[]
  ): Promise<Holder[]> {
    for (const [at, index] of indexes.entries()) {
      const position = positionOf(segment, index, number)
      if (await this.#placement.replace(position, gone[at]!)) continue
      const missing = [{ segment: number, index, reason: 'no other provider is left' }]
      throw incomplete(missing, segment.layout.n)
    }
    return await this.#uploadPieces(segment, number, indexes)
  }

  async #uploadPieces(
    segment: SegmentPieces,
    number: number,
    indexes: readonly number[]
  ): Promise<Holder[]> {
    const results = await Promise.all(
      indexes.map(index => this.#uploadOrError(segment, index, number))
    )
    this.signal.throwIfAborted()
    const missing = results.flatMap((result, at) =>
      result instanceof Error
        ? [{ segment: number, index: indexes[at]!, reason: messageOf(result) }]
        : []
    )
    if (missing.length > 0) throw incomplete(missing, segment.layout.n)
    return results as Holder[]
  }

  async #uploadOrError(
    segment: SegmentPieces,
    index: number,
    number: number
  ): Promise<Holder | Error> {
    const { n, plainBytes } = segment.layout
    try {
      const holder = await this.#uploadOne(segment, index, positionOf(segment, index, number))
      this.#report(plainBytes / n)
      return holder
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  /** Tries the provider at a position, then replacements until none is left. */
  async #uploadOne(segment: SegmentPieces, index: number, position: number): Promise<Holder> {
    const { quality, logger, network, clock, net } = this.#client
    const { signal } = this
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

  #report(durableBytes: number): void {
    this.#durableBytes += durableBytes
    this.#onProgress({
      readBytes: this.#readBytes,
      // Pieces that are moved count twice.
      durableBytes: Math.min(this.#readBytes, Math.round(this.#durableBytes))
    })
  }
}

/** Piece i of segment s goes to position (i + s) mod n, so that data shares spread evenly. */
function positionOf({ layout }: SegmentPieces, index: number, segment: number): number {
  return (index + segment) % layout.n
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
