/**
 * Our WebAssembly kernels: finding the builds that wasm/build.ts makes, choosing the fastest that this machine runs,
 * and starting one with a memory of its own. Each kernel has a plain JavaScript counterpart for machines without it.
 */
import { readFileSync } from 'node:fs'
import { HoldfastError, messageOf } from './errors.ts'

export type KernelBuild = 'relaxed-simd' | 'simd'

/** Which code runs: relaxed or standard WebAssembly SIMD, or plain JavaScript. */
export type Implementation = KernelBuild | 'javascript'

const FILE_SUFFIX: Record<KernelBuild, string> = { 'relaxed-simd': 'relaxed', simd: 'standard' }

/** From the sources (src/base) and from the published build (dist/src/base). */
const BUILD_FOLDERS = ['../../wasm/build/', '../../../wasm/build/']

export const WASM_PAGE_BYTES = 65_536
/** What one instance may take: 8 MiB. The builds declare the same maximum. */
export const KERNEL_PAGES_MAX = 128

/** The part of WebAssembly.Memory that is used. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: Record<string, object>) => { exports: object }
  Memory: new (pages: { initial: number; maximum: number }) => KernelMemory
}
// The types of Node do not declare it.
declare const WebAssembly: WebAssemblyApi

/**
 * not-built: the file is not there, `npm run build:wasm` makes it. not-supported: this machine has no such SIMD.
 * no-memory: the address space of the process is used up.
 */
export type KernelUnavailableReason = 'not-built' | 'not-supported' | 'no-memory'

export class KernelUnavailableError extends Error {
  override readonly name = 'KernelUnavailableError'
  readonly reason: KernelUnavailableReason

  constructor(reason: KernelUnavailableReason, message: string, cause?: unknown) {
    super(message, { cause })
    this.reason = reason
  }
}

/** Why the fastest implementation is not the one that runs. */
export interface FallbackReason {
  /** Of the fastest implementation. */
  reason: KernelUnavailableReason
  /** Every implementation that was tried, and what happened. */
  message: string
}

/** Fastest first; the last one runs everywhere. */
const IMPLEMENTATIONS: readonly Implementation[] = ['relaxed-simd', 'simd', 'javascript']

/**
 * The fastest implementation that runs here, or the only one asked for.
 * @param make throws KernelUnavailableError where an implementation does not run
 * @throws HoldfastError INVALID_ARGUMENT when `only` does not run here
 */
export function chooseImplementation<Kernel>(
  only: Implementation | undefined,
  make: (implementation: Implementation, fallbackReason: FallbackReason | undefined) => Kernel
): Kernel {
  let fallback: FallbackReason | undefined
  for (const implementation of only === undefined ? IMPLEMENTATIONS : [only]) {
    try {
      return make(implementation, fallback)
    } catch (error) {
      if (!(error instanceof KernelUnavailableError)) throw error
      if (only !== undefined) throw doesNotRun(only, error)
      const message = `${implementation}: ${error.reason}: ${error.message}`
      fallback = {
        reason: fallback?.reason ?? error.reason,
        message: fallback === undefined ? message : `${fallback.message}; ${message}`
      }
    }
  }
  throw new HoldfastError('INTERNAL', 'plain JavaScript did not run')
}

function doesNotRun(implementation: Implementation, cause: KernelUnavailableError): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `${implementation} does not run here`, {
    cause,
    details: { implementation, reason: cause.reason },
    hint: 'run `npm run build:wasm`, or leave the implementation to choose itself'
  })
}

const modules = new Map<string, object>()

/**
 * A kernel with a memory of its own.
 * @param name the module's name in wasm/build.ts
 * @param bytes how much memory it starts with, at most KERNEL_PAGES_MAX pages
 * @throws KernelUnavailableError
 */
export function loadKernel<Exports extends object>(
  name: string,
  build: KernelBuild,
  bytes: number
): Exports & { readonly memory: KernelMemory } {
  const module = moduleOf(`${name}-${FILE_SUFFIX[build]}.wasm`)
  const initial = Math.ceil(bytes / WASM_PAGE_BYTES)
  let memory: KernelMemory
  try {
    memory = new WebAssembly.Memory({ initial, maximum: KERNEL_PAGES_MAX })
  } catch (error) {
    throw new KernelUnavailableError('no-memory', messageOf(error), error)
  }
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  return { ...(exports as Exports), memory }
}

function moduleOf(file: string): object {
  const loaded = modules.get(file)
  if (loaded !== undefined) return loaded
  const bytes = read(file)
  if (!WebAssembly.validate(bytes)) {
    throw new KernelUnavailableError('not-supported', `this machine does not run ${file}`)
  }
  const module = new WebAssembly.Module(bytes)
  modules.set(file, module)
  return module
}

function read(file: string): Uint8Array {
  let cause: unknown
  for (const folder of BUILD_FOLDERS) {
    try {
      return readFileSync(new URL(folder + file, import.meta.url))
    } catch (error) {
      cause = error
    }
  }
  throw new KernelUnavailableError('not-built', `wasm/build/${file} is not there`, cause)
}
