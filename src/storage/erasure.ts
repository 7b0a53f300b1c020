/**
 * Systematic Reed-Solomon over GF(2^8), polynomial 0x11d, matrix as in klauspost/reedsolomon, Backblaze and the Rust
 * crate reed-solomon-erasure, so other tools can decode our pieces. Equivalently: the k data bytes of a column are the
 * values of a polynomial of degree < k at the field points 0..k-1, and shard r is its value at point r.
 *
 * Two kernels stand behind the interface: our own SIMD one (reed-solomon/, built by `npm run build:wasm`), and the wasm
 * of the package where SIMD or the build is missing. Same bytes; the package is also the oracle in tests and a row in
 * the bench.
 */
import { assert } from '../base/assert.ts'
import { HoldfastError } from '../base/errors.ts'
import { ErasureKernel } from './erasure-kernel.ts'
import { checkProfile, type Profile } from './profile.ts'
import { createReedSolomon, type ReedSolomon } from './reed-solomon/reed-solomon.ts'

/** One stripe where the kernel works, so that nothing has to be copied in or out. */
export interface CodedStripe {
  /** n shares, data first. */
  readonly shares: readonly Uint8Array[]
  /** Fills the n-k parity shares from the k data shares. */
  readonly encode: () => void
}

/** Shards lie one after the other: n * shareBytes bytes, data shards first. */
export interface ErasureCode {
  readonly k: number
  readonly n: number
  /** Fills the n-k parity shards from the k data shards, in place. */
  encode(shards: Uint8Array, shareBytes: number): void
  /** The one stripe of this code; the call for another length replaces it, and its shares must not be used any more. */
  stripe(shareBytes: number): CodedStripe
  /**
   * Restores every shard whose `present` is false, in place.
   * @throws HoldfastError UNRECOVERABLE with fewer than k present
   */
  reconstruct(shards: Uint8Array, shareBytes: number, present: readonly boolean[]): void
  /**
   * The same for data shards only; absent parity shards keep what they held. Reads need no more.
   * @throws HoldfastError UNRECOVERABLE with fewer than k present
   */
  reconstructData(shards: Uint8Array, shareBytes: number, present: readonly boolean[]): void
}

export type ErasureKernelName = 'simd' | 'package'

export interface ErasureOptions {
  /** @default 'simd' where it runs, else 'package' */
  kernel?: ErasureKernelName
}

/** Codes are stateless between calls and cost a few milliseconds and MiB each: the last ones used are kept. */
const CODES_KEPT_MAX = 4
const codes = new Map<string, Promise<ErasureCode>>()

/** @throws HoldfastError PROFILE_IMPOSSIBLE; INVALID_ARGUMENT when the kernel asked for does not run here */
export async function createErasureCode(
  profile: Profile,
  options: ErasureOptions = {}
): Promise<ErasureCode> {
  const { k, n } = checkProfile(profile)
  const key = `${k}/${n} ${options.kernel ?? ''}`
  const kept = codes.get(key) ?? create(k, n, options.kernel)
  codes.delete(key)
  codes.set(key, kept)
  if (codes.size > CODES_KEPT_MAX) codes.delete(codes.keys().next().value!)
  return await kept
}

async function create(
  k: number,
  n: number,
  wanted: ErasureKernelName | undefined
): Promise<ErasureCode> {
  if (wanted !== 'package') {
    const simd = createReedSolomon({ k, n })
    if (simd.implementation !== 'javascript') {
      return new CheckedCode(k, n, {
        encode: (shards, shareBytes) => simd.encode(shards, shareBytes),
        stripe: shareBytes => stripeInArena(simd, shareBytes),
        reconstructData: (shards, shareBytes, present) =>
          simd.reconstructData(shards, shareBytes, present)
      })
    }
    if (wanted === 'simd') {
      throw new HoldfastError('INVALID_ARGUMENT', `no SIMD kernel here: ${simd.fallbackReason}`)
    }
  }
  const kernel = await ErasureKernel.load()
  return new CheckedCode(k, n, {
    encode: shards => kernel.encode(shards, k, n - k),
    reconstructData: (shards, _, present) =>
      kernel.reconstruct(
        shards,
        k,
        n - k,
        Uint8Array.from(present, flag => (flag ? 1 : 0))
      )
  })
}

interface Kernel extends Pick<ErasureCode, 'encode' | 'reconstructData'> {
  /** Undefined when shares of this length do not fit its memory. */
  stripe?: (shareBytes: number) => CodedStripe | undefined
}

function stripeInArena(code: ReedSolomon, shareBytes: number): CodedStripe | undefined {
  if (shareBytes > code.arenaShareBytesMax) return undefined
  const arena = code.arena(shareBytes)
  const shares = Array.from({ length: code.n }, (_, i) => arena.shard(i))
  return { shares, encode: () => arena.encode() }
}

class CheckedCode implements ErasureCode {
  readonly k: number
  readonly n: number
  readonly #kernel: Kernel
  #stripe: (CodedStripe & { shareBytes: number }) | undefined

  constructor(k: number, n: number, kernel: Kernel) {
    this.k = k
    this.n = n
    this.#kernel = kernel
  }

  encode(shards: Uint8Array, shareBytes: number): void {
    this.#assertShards(shards, shareBytes)
    this.#kernel.encode(shards, shareBytes)
  }

  stripe(shareBytes: number): CodedStripe {
    if (this.#stripe?.shareBytes === shareBytes) return this.#stripe
    const stripe = this.#kernel.stripe?.(shareBytes) ?? this.#stripeApart(shareBytes)
    this.#stripe = { ...stripe, shareBytes }
    return stripe
  }

  /** In memory of its own, for kernels that copy. */
  #stripeApart(shareBytes: number): CodedStripe {
    const shards = new Uint8Array(this.n * shareBytes)
    const shares = Array.from({ length: this.n }, (_, i) =>
      shards.subarray(i * shareBytes, (i + 1) * shareBytes)
    )
    return { shares, encode: () => this.encode(shards, shareBytes) }
  }

  reconstruct(shards: Uint8Array, shareBytes: number, present: readonly boolean[]): void {
    this.reconstructData(shards, shareBytes, present)
    if (present.includes(false, this.k)) this.encode(shards, shareBytes)
  }

  reconstructData(shards: Uint8Array, shareBytes: number, present: readonly boolean[]): void {
    this.#assertShards(shards, shareBytes)
    assert(present.length === this.n, 'one flag for each shard')
    const presentCount = present.filter(flag => flag).length
    if (presentCount < this.k) {
      throw new HoldfastError(
        'UNRECOVERABLE',
        `${presentCount} good shares of a stripe, ${this.k} needed`,
        { details: { present: presentCount, needed: this.k } }
      )
    }
    if (!present.slice(0, this.k).includes(false)) return
    this.#kernel.reconstructData(shards, shareBytes, present)
  }

  #assertShards(shards: Uint8Array, shareBytes: number): void {
    assert(Number.isInteger(shareBytes) && shareBytes > 0, 'share length')
    assert(shards.length === this.n * shareBytes, 'n shards, one after the other')
  }
}
