/**
 * Run by crash.test.ts, which kills it: stores, replaces and removes pieces without end, eight at a time, in logs so
 * small that they are compacted and deleted all the while. It prints one line before and one after each call:
 * "? root" and "+ root" or "- root". Arguments: folder, seed.
 */
import { toHex } from '../../src/base/bytes.ts'
import { storePiece } from '../contracts/piece-store.ts'
import { crashStore } from './crash-store.ts'
import { createRandom } from './random.ts'

const WRITERS = 8

const [dir, seed] = process.argv.slice(2)
const random = createRandom(Number(seed))
const store = crashStore(dir!)
await store.open()

const say = (line: string): boolean => process.stdout.write(`${line}\n`)

async function writeForever(): Promise<void> {
  for (;;) {
    const bytes = random.bytes(1 + random.below(random.below(3) === 0 ? 100_000 : 3_000))
    const root = toHex(await storePiece(store, bytes, 16_384))
    say(`+ ${root}`)
    const dice = random.below(8)
    if (dice === 0) await storePiece(store, bytes, 16_384)
    if (dice < 4) continue
    say(`? ${root}`)
    await store.remove(Buffer.from(root, 'hex'))
    say(`- ${root}`)
  }
}

await Promise.all(Array.from({ length: WRITERS }, writeForever))
