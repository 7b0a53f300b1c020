/** Replayable bytes: HOLDFAST_TEST_SEED repeats a run. */
import { createCipheriv, createHash, randomInt } from 'node:crypto'

export function testSeed(): number {
  return Number(process.env['HOLDFAST_TEST_SEED'] ?? randomInt(2 ** 31))
}

/** A keystream of AES-256-CTR under the hash of the seed. */
export function seededBytes(seed: number, length: number): Buffer {
  const key = createHash('sha256').update(`seed ${seed}`).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}
