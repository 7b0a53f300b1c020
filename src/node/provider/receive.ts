/**
 * Receives pieces: checks that a deal allows them, reserves room, streams the bytes to disk while hashing them, and
 * signs a durable receipt only after everything is synced. An unreferenced piece is leased until a revision of its deal
 * names it.
 */
import { equal, toHex } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { SigningKey } from '../../base/keys.ts'
import { KIB } from '../../base/limits.ts'
import type { Logger } from '../../base/ports.ts'
import { signReceipt } from '../../market/receipt.ts'
import { createCommitter } from '../../proofs/index.ts'
import type { PieceStore, StagedPiece } from '../../storage/index.ts'
import { PIECE_PUT_PROTOCOL } from '../net/protocols.ts'
import type { Channel, Net } from '../net/types.ts'
import * as messages from '../wire/piece-messages.ts'
import type { Agreements } from './agreements.ts'
import type { Leases } from './leases.ts'

/** Hashed and written at once: whole chunk groups. */
const RUN_BYTES_MAX: number = 256 * KIB
/** Pieces being received at once, over all clients; each buffers at most RUN_BYTES_MAX. */
const RECEIVING_MAX = 64

export interface ReceiveComponents {
  net: Net
  store: PieceStore
  leases: Leases
  agreements: Agreements
  nodeKey: SigningKey
  genesisHash: Uint8Array
  logger: Logger
}

/** Serves piece-put on `net`. */
export function serveUploads(components: ReceiveComponents): void {
  let receiving = 0
  components.net.handle(PIECE_PUT_PROTOCOL, async (channel, signal) => {
    if (receiving >= RECEIVING_MAX) {
      await messages.sendError(
        channel,
        new HoldfastError('REMOTE_REFUSED', 'too many uploads at once')
      )
      return
    }
    receiving++
    try {
      await receivePiece(components, channel, signal)
    } catch (error) {
      components.logger.info('piece.refused', {
        peer: channel.remote.peerId,
        reason: messageOf(error)
      })
      await messages.sendError(channel, error)
    } finally {
      receiving--
    }
    await channel.close()
  })
}

async function receivePiece(
  components: ReceiveComponents,
  channel: Channel,
  signal: AbortSignal
): Promise<void> {
  const { store, leases, agreements, nodeKey, genesisHash, logger } = components
  const { deal, bytes } = await messages.expectMessage(channel, messages.putHeader, { signal })
  agreements.assertTakes(bytes)
  const leaseEnd = await agreements.leaseFor(deal, channel.remote)
  const staged = await store.stage(bytes, leaseEnd)
  try {
    await messages.sendMessage(channel, { ok: true })
    const commitment = await storeBody(channel, staged, bytes, signal)
    const { root } = await messages.expectMessage(channel, messages.putTrailer, { signal })
    if (!equal(root, commitment.root)) {
      throw new HoldfastError(
        'PIECE_MISMATCH',
        'the bytes received do not hash to the announced root'
      )
    }
    // The lease comes first: a crash between the two leaves a lease without a piece, never a piece nobody frees.
    const heldUntilHeight = await leases.hold(root, deal)
    await staged.commit(root, commitment.groupCvs)
    logger.debug('piece.stored', { root: toHex(root), bytes })
    const receipt = { genesisHash, deal, root, bytes, heldUntilHeight }
    await messages.sendMessage(channel, signReceipt(receipt, nodeKey))
  } catch (error) {
    await staged.abort()
    throw error
  }
}

async function storeBody(
  channel: Channel,
  staged: StagedPiece,
  bytes: number,
  signal: AbortSignal
): Promise<{ root: Uint8Array; groupCvs: Uint8Array }> {
  const committer = createCommitter()
  // The network gives some KiB at a time; hashing and above all writing cost less in long runs.
  const run = new Uint8Array(Math.min(bytes, RUN_BYTES_MAX))
  for (let left = bytes; left > 0; ) {
    const chunk = run.subarray(0, left)
    await channel.readInto(chunk, { signal })
    committer.update(chunk)
    await staged.write(chunk)
    left -= chunk.length
  }
  return committer.finish()
}
