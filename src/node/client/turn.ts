/**
 * Shares the main thread out. A stream that always has room would run from one microtask to the next, and thirty of
 * them would keep timers, sockets and consensus waiting for a second; so whoever moves bulk bytes asks before each
 * chunk for room in this turn of the event loop. Bytes and not time: all who are woken would find that no time has
 * passed.
 */
import { MIB } from '../../base/limits.ts'

/** Bulk bytes per turn, over all streams: a few milliseconds of copying, encryption or hashing. */
export const TURN_BYTES_MAX: number = 1 * MIB

let turnBytes = 0
let nextTurn: Promise<void> | undefined

/** Resolves at once, or in a later turn of the event loop when this one has its share. */
export async function takeTurn(bytes: number): Promise<void> {
  while (turnBytes > 0 && turnBytes + bytes > TURN_BYTES_MAX) await nextTurn
  turnBytes += bytes
  nextTurn ??= new Promise(resolve => {
    setImmediate(() => {
      turnBytes = 0
      nextTurn = undefined
      resolve()
    })
  })
}
