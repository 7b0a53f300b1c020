/**
 * A fresh process that starts one kernel, once: `erasure k n`, `blake3` or `piece-cid`. Tells how long that took, with
 * its first work, and how much WebAssembly memory a put's worker has then asked for. The modules are loaded before the
 * clock starts: reading them is the start of the process, not of the kernel.
 */
import process from 'node:process'
import { countWasmMemory } from './wasm-memory.ts'

const wasmBytes = countWasmMemory()
const { encodeSegment } = await import('../../src/node/client/encode-job.ts')
const { blake3, createPieceCid } = await import('../../src/proofs/index.ts')
const { arenaBytes, createErasureCode, segmentLayout, shareBytesOf } = await import(
  '../../src/storage/index.ts'
)

const SEGMENT_BYTES = 4 * 1024 * 1024
const [kernel, ...numbers] = process.argv.slice(2)
const [k = 0, n = 0] = numbers.map(Number)

const START: Record<string, () => Promise<void> | void> = {
  erasure: async () => {
    const shareBytes = shareBytesOf({ k, n })
    const code = await createErasureCode({ k, n })
    code.encode(new Uint8Array(n * shareBytes), shareBytes)
  },
  blake3: () => void blake3(new Uint8Array(16 * 1024)),
  'piece-cid': () => {
    const hasher = createPieceCid({ hashtree: false })
    hasher.update(new Uint8Array(16 * 1024))
    hasher.finish()
  }
}

const startMs = performance.now()
await START[kernel!]!()
const milliseconds = performance.now() - startMs
if (kernel === 'erasure') {
  const layout = segmentLayout({ k, n }, SEGMENT_BYTES)
  const plain = new Uint8Array(SEGMENT_BYTES)
  const arena = new Uint8Array(arenaBytes(layout))
  await encodeSegment({ profile: { k, n }, plain, key: new Uint8Array(32), arena })
}
process.stdout.write(`${JSON.stringify({ milliseconds, wasmBytes: wasmBytes() })}\n`)
