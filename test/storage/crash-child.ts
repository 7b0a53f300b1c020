/**
 * Run by crash.test.ts, which kills it: stores and removes pieces without end, eight at a time, and prints one line
 * after each acknowledgement: "+ root" or "- root". Arguments: folder, seed.
 */
import { toHex } from '../../src/base/bytes.ts'
import { createDiskPieceStore } from '../../src/storage/disk-piece-store.ts'
import { storePiece } from '../contracts/piece-store.ts'
import { createRandom } from './random.ts'

const WRITERS = 8

const [dir, seed] = process.argv.slice(2)
const random = createRandom(Number(seed))
const store = createDiskPieceStore({ dir: dir!, quotaBytes: 1_000_000_000 })
await store.open()

async function writeForever(): Promise<void> {
  for (;;) {
    const root = await storePiece(store, random.bytes(1 + random.below(100_000)), 16_384)
    process.stdout.write(`+ ${toHex(root)}\n`)
    if (random.below(4) > 0) continue
    process.stdout.write(`? ${toHex(root)}\n`)
    await store.remove(root)
    process.stdout.write(`- ${toHex(root)}\n`)
  }
}

await Promise.all(Array.from({ length: WRITERS }, writeForever))
