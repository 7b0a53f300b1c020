/** Peers to ask for headers: those connected, and those the directory knows when they are too few. */
import { HoldfastError } from '../../base/errors.ts'
import {
  type Checkpoint,
  type NetworkId,
  type Trusted,
  trustCheckpoint
} from '../../ledger/index.ts'
import type { Net } from '../net/types.ts'
import type { LightPeer } from './light-source.ts'
import { pause } from './pause.ts'
import { isValidator, VALIDATOR_ROLE } from './validators.ts'

/** Asked at most; more say nothing more. */
const PEERS_MAX = 8
const TOPICS = [VALIDATOR_ROLE, 'provider'] as const
const LOOK_MS = 200

export interface FindPeersInit {
  net: Net
  /** Ends as soon as there are so many. */
  wanted: number
  timeoutMs: number
  signal: AbortSignal
}

/** Ids of peers with a role, validators first: `wanted` of them, or those that were found in the time. */
export async function findLightPeers(init: FindPeersInit): Promise<string[]> {
  const { net, wanted, timeoutMs } = init
  const signal = AbortSignal.any([init.signal, AbortSignal.timeout(timeoutMs)])
  const known = new Set<string>()
  for (;;) {
    for (const peerId of connectedReplicas(net)) known.add(peerId)
    if (known.size < wanted) await lookUp(net, wanted, known, signal)
    if (known.size >= wanted || signal.aborted) break
    await pause(LOOK_MS, signal)
  }
  init.signal.throwIfAborted()
  return [...known].slice(0, PEERS_MAX)
}

/** Light clients connect too, and have no role. */
function connectedReplicas(net: Net): string[] {
  return net
    .connected()
    .filter(({ roles }) => roles.length > 0)
    .sort((a, b) => Number(isValidator(b)) - Number(isValidator(a)))
    .map(({ peerId }) => peerId)
}

async function lookUp(
  net: Net,
  wanted: number,
  known: Set<string>,
  signal: AbortSignal
): Promise<void> {
  for (const topic of TOPICS) {
    try {
      for await (const { peerId, addresses } of net.find(topic, { signal })) {
        await net.addAddresses(peerId, addresses)
        known.add(peerId)
        if (known.size >= wanted) return
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

/**
 * The block of a checkpoint, from the first peer that has it.
 * @throws HoldfastError NOT_FOUND when nobody has
 */
export async function trustFromPeers(
  network: NetworkId,
  checkpoint: Checkpoint,
  peers: readonly LightPeer[],
  signal: AbortSignal
): Promise<Trusted> {
  for (const peer of peers) {
    try {
      const block = await peer.lightBlock(checkpoint.height, signal)
      return trustCheckpoint(network, checkpoint, block)
    } catch (error) {
      signal.throwIfAborted()
      if (!HoldfastError.is(error)) throw error
    }
  }
  throw new HoldfastError(
    'NOT_FOUND',
    `no peer has the block of the checkpoint at ${checkpoint.height}`,
    { hint: 'check height and hash, or take a newer block' }
  )
}
