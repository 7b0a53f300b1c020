/**
 * The wasm file of the package reed-solomon-erasure.wasm, with glue of our own, because the package's glue frees the
 * `present` flags after the wasm has freed them: the second `reconstruct` of an instance returns errors, wrong bytes or
 * traps. The allocator inside never gives memory back and leaks when lengths vary, so an instance that has grown past a
 * bound is replaced (a tenth of a millisecond).
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { assert } from '../base/assert.ts'
import { MIB } from '../base/limits.ts'

const WASM_FILE = 'reed-solomon-erasure.wasm/dist/reed_solomon_erasure_bg.wasm'
const MEMORY_BYTES_MAX: number = 32 * MIB
const RESULT_OK = 0

/** The part of WebAssembly that is used; @types/node has none of it. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => WasmModule
  Instance: new (module: WasmModule) => { readonly exports: unknown }
}

interface WasmModule {
  readonly [Symbol.toStringTag]: string
}

interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  __wbindgen_malloc(bytes: number): number
  __wbindgen_free(at: number, bytes: number): void
  encode(shardsAt: number, shardsBytes: number, data: number, parity: number): number
  reconstruct(
    shardsAt: number,
    shardsBytes: number,
    data: number,
    parity: number,
    flagsAt: number,
    flagsBytes: number
  ): number
}

/** One for the whole process: calls are synchronous and leave no state behind. */
export class ErasureKernel {
  static #loading: Promise<ErasureKernel> | undefined
  readonly #module: WasmModule
  #exports: KernelExports | undefined

  private constructor(module: WasmModule) {
    this.#module = module
  }

  static load(): Promise<ErasureKernel> {
    ErasureKernel.#loading ??= readFile(createRequire(import.meta.url).resolve(WASM_FILE)).then(
      bytes => new ErasureKernel(new WebAssembly.Module(bytes))
    )
    return ErasureKernel.#loading
  }

  /** Fills the parity shards, in place. */
  encode(shards: Uint8Array, data: number, parity: number): void {
    const dataBytes = (shards.length / (data + parity)) * data
    this.#run(shards, dataBytes, shards.length, (exports, at) =>
      exports.encode(at, shards.length, data, parity)
    )
  }

  /** Restores the data shards whose flag is false, in place; at least `data` flags are true. */
  reconstruct(shards: Uint8Array, data: number, parity: number, present: Uint8Array): void {
    const dataBytes = (shards.length / (data + parity)) * data
    this.#run(shards, 0, dataBytes, (exports, at) => {
      const flagsAt = exports.__wbindgen_malloc(present.length)
      new Uint8Array(exports.memory.buffer).set(present, flagsAt)
      // The callee owns the flags and frees them.
      return exports.reconstruct(at, shards.length, data, parity, flagsAt, present.length)
    })
  }

  /** Copies the shards in, runs, and copies the bytes from..to back. */
  #run(
    shards: Uint8Array,
    from: number,
    to: number,
    call: (exports: KernelExports, at: number) => number
  ): void {
    const exports = this.#exports ?? this.#instantiate()
    // Unset while it runs: an instance that trapped is not used again.
    this.#exports = undefined
    const at = exports.__wbindgen_malloc(shards.length)
    new Uint8Array(exports.memory.buffer).set(shards, at)
    const result = call(exports, at)
    assert(result === RESULT_OK, `the erasure kernel refused: ${result}`)
    shards.set(new Uint8Array(exports.memory.buffer, at + from, to - from), from)
    exports.__wbindgen_free(at, shards.length)
    if (exports.memory.buffer.byteLength <= MEMORY_BYTES_MAX) this.#exports = exports
  }

  #instantiate(): KernelExports {
    const { exports } = new WebAssembly.Instance(this.#module)
    return exports as KernelExports
  }
}
