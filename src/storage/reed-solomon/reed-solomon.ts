/**
 * Reed-Solomon over GF(2^8): klauspost/Backblaze-compatible shards on WebAssembly SIMD, any 1 <= k <= n <= 256, any
 * share length. Encoding is a truncated additive FFT (additive-fft.ts), decoding and repair are Lagrange rows
 * (rows.ts).
 */
import { chooseImplementation } from '../../base/wasm-module.ts'
import { checkProfile } from './check.ts'
import { JavaScriptReedSolomon } from './javascript-code.ts'
import type {
  Implementation,
  ReedSolomon,
  ReedSolomonOptions,
  ReedSolomonProfile
} from './types.ts'
import { WasmReedSolomon } from './wasm-code.ts'

export type {
  Implementation,
  ReedSolomon,
  ReedSolomonArena,
  ReedSolomonOptions,
  ReedSolomonProfile
} from './types.ts'

/**
 * The code (k, n). Takes a few milliseconds and up to 8 MiB: make one per profile and worker, and keep it.
 * @throws HoldfastError INVALID_ARGUMENT for k or n out of range, or when `options.implementation` does not run here
 */
export function createReedSolomon(
  profile: ReedSolomonProfile,
  options: ReedSolomonOptions = {}
): ReedSolomon {
  checkProfile(profile)
  return chooseImplementation(options.implementation, (implementation, fallback) =>
    create(profile, implementation, fallback?.message)
  )
}

function create(
  profile: ReedSolomonProfile,
  implementation: Implementation,
  fallbackReason: string | undefined
): ReedSolomon {
  return implementation === 'javascript'
    ? new JavaScriptReedSolomon(profile, fallbackReason)
    : new WasmReedSolomon(profile, implementation, fallbackReason)
}
