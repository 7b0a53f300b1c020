/** The WebAssembly kernels of the code. Addresses and lengths are those of wasm/assembly; see there. */
import type { KernelMemory } from '../../base/wasm-module.ts'

/** The module's name in wasm/build.ts. */
export const KERNEL_NAME = 'rs'

export interface KernelExports {
  runMatrix(
    inputs: number,
    inputCount: number,
    outputs: number,
    outputCount: number,
    tables: number,
    bytes: number,
    columnBytes: number
  ): void
  runProgram(program: number, end: number, bytes: number, columnBytes: number): void
}

export interface Kernel extends KernelExports {
  readonly memory: KernelMemory
}
