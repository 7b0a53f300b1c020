/** A light client that goes on with the next source when one lies or fails. */
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { LightClient, Update } from '../../ledger/index.ts'
import type { LightPeer } from './light-source.ts'

/** Errors that another source would not help against. */
const FINAL = ['LEDGER_FORK', 'TRUST_EXPIRED', 'TOO_FEW_WITNESSES', 'ABORTED'] as const

export interface FaultyPeer {
  id: string
  reason: string
}

export interface PeersUpdate extends Update {
  primary: LightPeer
}

export interface UpdateByPeersInit {
  client: LightClient
  /** Each is the source until one holds; all others are witnesses. */
  peers: readonly LightPeer[]
  /** Looked up by the source. @default its newest */
  heightOf?: (primary: LightPeer) => Promise<bigint>
  nowMs: bigint
  signal: AbortSignal
}

/**
 * @throws HoldfastError TOO_FEW_WITNESSES | LEDGER_FORK | TRUST_EXPIRED | ABORTED; UNREACHABLE with `details.faulty`
 *   when no peer gave a header that verifies
 */
export async function updateByPeers(init: UpdateByPeersInit): Promise<PeersUpdate> {
  const { client, peers, heightOf, nowMs, signal } = init
  const faulty: FaultyPeer[] = []
  for (const primary of peers) {
    const known = new Set(faulty.map(({ id }) => id))
    const witnesses = peers.filter(peer => peer !== primary && !known.has(peer.id))
    try {
      const height = await heightOf?.(primary)
      const update = await client.update({
        primary,
        witnesses,
        nowMs,
        signal,
        ...(height !== undefined && { height })
      })
      return { ...update, faulty: [...faulty, ...update.faulty], primary }
    } catch (error) {
      signal.throwIfAborted()
      if (HoldfastError.is(error) && FINAL.some(code => code === error.code)) throw error
      faulty.push({ id: primary.id, reason: messageOf(error) })
    }
  }
  throw new HoldfastError('UNREACHABLE', 'no peer gave a header that verifies', {
    details: { faulty },
    hint: 'check the bootstrap addresses, and that nodes of this network are running',
    retryable: true
  })
}
