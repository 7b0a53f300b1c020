/** A piece on its way into a store in memory. */
import { assert } from '../base/assert.ts'
import { HoldfastError } from '../base/errors.ts'
import { GroupChecksums } from './piece-checksums.ts'
import type { StagedPiece } from './piece-store.ts'

/** What a commit hands over. */
export interface StagedBytes {
  readonly bytes: Uint8Array
  readonly checksums: Uint8Array
  readonly outboard: Uint8Array
}

export interface Staging {
  readonly ended: () => void
  readonly store: (root: Uint8Array, held: StagedBytes) => void
}

export class MemoryStagedPiece implements StagedPiece {
  readonly #bytes: Uint8Array
  readonly #checksums: GroupChecksums
  readonly #staging: Staging
  #state: 'writing' | 'ended' | 'aborted' = 'writing'

  constructor(bytes: number, staging: Staging) {
    this.#bytes = new Uint8Array(bytes)
    this.#checksums = new GroupChecksums(bytes)
    this.#staging = staging
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertWriting()
    const { seenBytes } = this.#checksums
    if (seenBytes + chunk.length > this.#bytes.length) {
      throw this.#mismatch(`more than the ${this.#bytes.length} bytes announced`)
    }
    this.#bytes.set(chunk, seenBytes)
    this.#checksums.update(chunk)
  }

  async commit(root: Uint8Array, groupCvs: Uint8Array): Promise<void> {
    this.#assertWriting()
    const { seenBytes } = this.#checksums
    if (seenBytes !== this.#bytes.length) {
      throw this.#mismatch(`${seenBytes} of ${this.#bytes.length} bytes arrived`)
    }
    this.#staging.store(root, {
      bytes: this.#bytes,
      checksums: this.#checksums.digest(),
      outboard: groupCvs.slice()
    })
    this.#end('ended')
  }

  async abort(): Promise<void> {
    if (this.#state === 'writing') this.#end('aborted')
  }

  #assertWriting(): void {
    if (this.#state === 'aborted') {
      throw new HoldfastError('ABORTED', 'the staged piece was aborted')
    }
    assert(this.#state === 'writing', 'the staged piece has ended')
  }

  #mismatch(reason: string): HoldfastError {
    this.#end('ended')
    return new HoldfastError('PIECE_MISMATCH', `staged piece: ${reason}`)
  }

  #end(state: 'ended' | 'aborted'): void {
    this.#state = state
    this.#staging.ended()
  }
}
