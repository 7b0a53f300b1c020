/** Uploads one piece to one provider and returns its durable receipt. Follows `wire/piece-messages.ts`. */
import { HoldfastError } from '../../base/errors.ts'
import { KIB } from '../../base/limits.ts'
import { openReceipt, type Receipt } from '../../market/receipt.ts'
import { PIECE_PUT_PROTOCOL } from '../net/protocols.ts'
import type { Channel, Net } from '../net/types.ts'
import * as messages from '../wire/piece-messages.ts'
import { takeTurn } from './turn.ts'

/** One write into the stream; small enough that others have their turn in between. */
const WRITE_BYTES: number = 128 * KIB
/** The provider has to hash, write and fsync the piece before it answers. */
const RECEIPT_TIMEOUT_MS = 60_000
const REFUSAL_TIMEOUT_MS = 1_000
/** The channel is gone: there is no refusal to read. */
const LOST: readonly string[] = ['UNREACHABLE', 'TIMEOUT', 'ABORTED', 'FRAME_TRUNCATED']

export interface PieceUpload {
  peerId: string
  peerKey: Uint8Array
  genesisHash: Uint8Array
  deal: Uint8Array
  root: Uint8Array
  piece: Uint8Array
  signal: AbortSignal
}

/**
 * @throws HoldfastError UNREACHABLE | TIMEOUT | QUOTA_EXCEEDED | STORE_READ_ONLY | REMOTE_REFUSED | PROTOCOL_VIOLATION
 * | ABORTED
 */
export async function uploadPiece(net: Net, upload: PieceUpload): Promise<Receipt> {
  const { peerId, deal, root, piece, signal } = upload
  const channel = await net.open(peerId, PIECE_PUT_PROTOCOL, { signal })
  try {
    await messages.sendMessage(channel, { deal, bytes: piece.length }, { signal })
    await messages.expectMessage(channel, messages.putAnswer, { signal })
    for (let at = 0; at < piece.length; at += WRITE_BYTES) {
      const chunk = piece.subarray(at, at + WRITE_BYTES)
      await takeTurn(chunk.length)
      await channel.write(chunk, { signal })
    }
    await messages.sendMessage(channel, { root }, { signal })
    const answer = await messages.expectMessage(channel, messages.putReceipt, {
      signal,
      timeoutMs: RECEIPT_TIMEOUT_MS
    })
    const expected = { genesisHash: upload.genesisHash, deal, root, bytes: piece.length }
    const receipt = openReceipt(answer, upload.peerKey, expected)
    await channel.close()
    return receipt
  } catch (error) {
    const refusal = signal.aborted ? undefined : await refusalOf(channel)
    channel.abort(error as Error)
    throw refusal ?? error
  }
}

/** A provider that refuses in the middle closes its side: our write fails, and its reason is still there to read. */
async function refusalOf(channel: Channel): Promise<unknown> {
  try {
    await messages.receiveMessage(channel, messages.putReceipt, { timeoutMs: REFUSAL_TIMEOUT_MS })
    return undefined
  } catch (error) {
    return HoldfastError.is(error) && !LOST.includes(error.code) ? error : undefined
  }
}
