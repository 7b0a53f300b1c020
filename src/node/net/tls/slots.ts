/**
 * Buffers in which a muxer's header and payload become one write. Node joins several buffers into fresh memory at each
 * write, and fresh memory costs more than encrypting what is in it; these are used again once a write is done.
 */
import { SLOT_BYTES, SLOTS_KEPT_MAX, SMALL_WRITE_BYTES_MAX } from './limits.ts'

const free: Uint8Array[] = []

export interface Slot {
  bytes: Uint8Array
  /** Gives the memory back; to be called once, when nobody reads `bytes` any more. */
  release: () => void
}

/** A copy of all bytes of the parts, in order, cut at SLOT_BYTES. */
export function copyToSlots(parts: Iterable<Uint8Array>, length: number): Slot[] {
  const slots: Slot[] = []
  let slot = takeSlot(length)
  let filled = 0
  let left = length
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      if (filled === slot.bytes.length) {
        slots.push(slot)
        slot = takeSlot(left)
        filled = 0
      }
      const taken = Math.min(part.length - at, slot.bytes.length - filled)
      slot.bytes.set(part.subarray(at, at + taken), filled)
      at += taken
      filled += taken
      left -= taken
    }
  }
  slots.push(slot)
  return slots
}

function takeSlot(length: number): Slot {
  // Node hands these out of a pool of its own
  if (length <= SMALL_WRITE_BYTES_MAX) return { bytes: Buffer.allocUnsafe(length), release: keep }
  const memory = free.pop() ?? Buffer.allocUnsafeSlow(SLOT_BYTES)
  const release = (): void => {
    if (free.length < SLOTS_KEPT_MAX) free.push(memory)
  }
  return { bytes: memory.subarray(0, Math.min(length, SLOT_BYTES)), release }
}

function keep(): void {}
