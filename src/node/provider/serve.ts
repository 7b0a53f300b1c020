/**
 * Serves ranges of pieces with the hashes that let the reader check every 16 KiB against the piece root. Bytes whose
 * checksum fails on our own disk are left out and named: a provider with disk trouble is never a liar.
 */
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { GROUP_BYTES, MIB } from '../../base/limits.ts'
import type { Logger } from '../../base/ports.ts'
import { groupsOf, openRange } from '../../proofs/index.ts'
import type { PieceStore } from '../../storage/index.ts'
import { PIECE_GET_PROTOCOL } from '../net/protocols.ts'
import type { Channel, Net } from '../net/types.ts'
import * as messages from '../wire/piece-messages.ts'

/** An idle reader is let go after this long. */
const IDLE_TIMEOUT_MS = 60_000
/** Streams served at once; each buffers one range answer (at most 1 MiB). */
const SERVING_MAX: number = (128 * MIB) / MIB

export interface ServeComponents {
  net: Net
  store: PieceStore
  /** Told about damage so that the owner of the disk hears of it. */
  onDamage: (root: Uint8Array, groups: readonly number[]) => void
  logger: Logger
}

/** Serves piece-get on `net`. */
export function servePieces(components: ServeComponents): void {
  let serving = 0
  components.net.handle(PIECE_GET_PROTOCOL, async (channel, signal) => {
    if (serving >= SERVING_MAX) {
      await messages.sendError(
        channel,
        new HoldfastError('REMOTE_REFUSED', 'too many readers at once')
      )
      return
    }
    serving++
    try {
      await answerRequests(components, channel, signal)
    } catch (error) {
      components.logger.debug('piece.get.failed', {
        peer: channel.remote.peerId,
        reason: messageOf(error)
      })
      await messages.sendError(channel, error)
    } finally {
      serving--
    }
    await channel.close()
  })
}

async function answerRequests(
  components: ServeComponents,
  channel: Channel,
  signal: AbortSignal
): Promise<void> {
  for (;;) {
    const request = await messages.receiveMessage(channel, messages.getRequest, {
      signal,
      timeoutMs: IDLE_TIMEOUT_MS
    })
    if (request === undefined) return
    await answerRange(components, channel, request, signal)
  }
}

async function answerRange(
  { store, onDamage }: ServeComponents,
  channel: Channel,
  { root, firstGroup, groups }: messages.GetRequestMessage,
  signal: AbortSignal
): Promise<void> {
  const stat = await store.stat(root)
  if (stat === undefined)
    throw new HoldfastError('PIECE_NOT_FOUND', 'this piece is not stored here')
  if (firstGroup + groups > groupsOf(stat.bytes)) {
    throw new HoldfastError('PROTOCOL_VIOLATION', 'the range ends beyond the piece')
  }
  const groupCvs = await store.groupCvs(root)
  const { bytes, damaged } = await store.readGroups(root, firstGroup, groups)
  if (damaged.length > 0) onDamage(root, damaged)
  const proof = openRange({ groupCvs, pieceBytes: stat.bytes, firstGroup, groups })
  await messages.sendMessage(channel, { pieceBytes: stat.bytes, ...proof, damaged }, { signal })
  for (const run of goodRuns(firstGroup, groups, damaged)) {
    const from = (run.first - firstGroup) * GROUP_BYTES
    await channel.write(bytes.subarray(from, from + run.groups * GROUP_BYTES), { signal })
  }
}

/** Runs of consecutive groups that are not damaged. */
function* goodRuns(
  firstGroup: number,
  groups: number,
  damaged: readonly number[]
): Generator<{ first: number; groups: number }> {
  const bad = new Set(damaged)
  let first = firstGroup
  for (let at = firstGroup; at <= firstGroup + groups; at++) {
    if (at < firstGroup + groups && !bad.has(at)) continue
    if (at > first) yield { first, groups: at - first }
    first = at + 1
  }
}
