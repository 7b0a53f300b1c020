/** PieceStore in memory, for tests, simulations and short-lived nodes. Durable until the process ends. */
import { assert } from '../base/assert.ts'
import { compare, fromHex, toHex } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { damagedGroups, GroupChecksums, groupExtent } from './piece-checksums.ts'
import { PieceSpace } from './piece-space.ts'
import type {
  PieceGroups,
  PieceStore,
  PieceUsage,
  StagedPiece,
  StoredPiece
} from './piece-store.ts'

interface HeldPiece {
  readonly bytes: Uint8Array
  readonly checksums: Uint8Array
  readonly outboard: Uint8Array
}

export interface MemoryPieceStoreInit {
  /** Limit of stored and staged bytes together. */
  readonly quotaBytes: number
}

export function createMemoryPieceStore(init: MemoryPieceStoreInit): PieceStore {
  return new MemoryStore(init.quotaBytes)
}

class MemoryStore implements PieceStore {
  readonly #space: PieceSpace
  readonly #pieces = new Map<string, HeldPiece>()
  readonly #staged = new Set<MemoryStagedPiece>()
  #state: 'new' | 'open' | 'closed' = 'new'

  constructor(quotaBytes: number) {
    this.#space = new PieceSpace(quotaBytes)
  }

  async open(): Promise<void> {
    assert(this.#state === 'new', 'a piece store is opened once')
    this.#state = 'open'
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    await Promise.all(Array.from(this.#staged, piece => piece.abort()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async stage(bytes: number): Promise<StagedPiece> {
    this.#assertOpen()
    this.#space.reserve(bytes)
    const piece = new MemoryStagedPiece(bytes, {
      ended: () => {
        this.#staged.delete(piece)
        this.#space.release(bytes)
      },
      store: (root, held) => this.#store(root, held)
    })
    this.#staged.add(piece)
    return piece
  }

  async has(root: Uint8Array): Promise<boolean> {
    this.#assertOpen()
    return this.#pieces.has(toHex(root))
  }

  async stat(root: Uint8Array): Promise<{ bytes: number } | undefined> {
    this.#assertOpen()
    const held = this.#pieces.get(toHex(root))
    return held === undefined ? undefined : { bytes: held.bytes.length }
  }

  async groupCvs(root: Uint8Array): Promise<Uint8Array> {
    return this.#held(root).outboard.slice()
  }

  async readGroups(root: Uint8Array, firstGroup: number, groups: number): Promise<PieceGroups> {
    const held = this.#held(root)
    const extent = groupExtent(held.bytes.length, firstGroup, groups)
    const bytes = held.bytes.slice(extent.offset, extent.offset + extent.bytes)
    return { bytes, damaged: damagedGroups(bytes, firstGroup, held.checksums) }
  }

  async remove(root: Uint8Array): Promise<boolean> {
    this.#assertOpen()
    const held = this.#pieces.get(toHex(root))
    if (held === undefined) return false
    this.#pieces.delete(toHex(root))
    this.#space.drop(held.bytes.length)
    return true
  }

  async *roots(): AsyncGenerator<StoredPiece, void, undefined> {
    this.#assertOpen()
    const entries = Array.from(this.#pieces, ([rootHex, held]) => ({
      root: fromHex(rootHex),
      bytes: held.bytes.length
    }))
    yield* entries.sort((a, b) => compare(a.root, b.root))
  }

  usage(): PieceUsage {
    const { usedBytes, reservedBytes, quotaBytes, pieces } = this.#space
    return { usedBytes, reservedBytes, quotaBytes, pieces, readOnly: false }
  }

  #store(root: Uint8Array, held: HeldPiece): void {
    const stored = this.#pieces.get(toHex(root))
    assert(
      stored === undefined || stored.bytes.length === held.bytes.length,
      'one root, one length'
    )
    this.#pieces.set(toHex(root), held)
    if (stored === undefined) this.#space.add(held.bytes.length)
  }

  #held(root: Uint8Array): HeldPiece {
    this.#assertOpen()
    const held = this.#pieces.get(toHex(root))
    if (held === undefined) throw new HoldfastError('PIECE_NOT_FOUND', `no piece ${toHex(root)}`)
    return held
  }

  #assertOpen(): void {
    assert(this.#state === 'open', 'the piece store is open')
  }
}

interface Staging {
  readonly ended: () => void
  readonly store: (root: Uint8Array, held: HeldPiece) => void
}

class MemoryStagedPiece implements StagedPiece {
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
