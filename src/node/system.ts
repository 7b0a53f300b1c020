/** The real clock and the real randomness: everything else gets them handed in. */
import { randomBytes } from 'node:crypto'
import type { Clock, Random } from '../base/ports.ts'

export const systemClock: Clock = { nowMs: () => Date.now() }

export const systemRandom: Random = {
  bytes: length => {
    const bytes = new Uint8Array(length)
    bytes.set(randomBytes(length))
    return bytes
  }
}
