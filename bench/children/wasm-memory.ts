/** Counts what WebAssembly memories take: all that JavaScript makes in this thread, from the call on. */

interface Memory {
  buffer: ArrayBuffer
}
type MemoryClass = new (pages: object) => Memory

/** Returns how many bytes they have together now. To be called before any kernel is loaded. */
export function countWasmMemory(): () => number {
  const memories: Memory[] = []
  const api = (globalThis as unknown as { WebAssembly: { Memory: MemoryClass } }).WebAssembly
  api.Memory = class extends api.Memory {
    constructor(pages: object) {
      super(pages)
      memories.push(this)
    }
  }
  return () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0)
}
