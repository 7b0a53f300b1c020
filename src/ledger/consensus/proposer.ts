/**
 * Fresh blocks: making our own, and deciding whether another validator's may be voted for. Carried blocks never come
 * here: a quorum has checked them already, and their time is old by then (ledger.md 1.2).
 */
import { equal } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Hash } from '../../base/hash.ts'
import type { SigningKey } from '../../base/keys.ts'
import { type BeaconKey, revealDue } from '../beacon.ts'
import { blockHashOf, checkBlock, decodeBlock, encodeBlock, makeBlock } from '../block.ts'
import { checkCarried } from '../block-check.ts'
import type { Mempool } from '../mempool.ts'
import type { Replica } from '../replica.ts'
import { type Block, type Certificate, TXS_BYTES_MAX } from '../types/block.ts'

/** How far honest clocks may differ. */
export const PRECISION_MS = 500
/** How old a fresh block may be in view 1; half as much again in every later view, up to the maximum. */
export const MESSAGE_DELAY_MS = 4_000
export const MESSAGE_DELAY_MS_MAX = 600_000

export interface ProposerInit {
  replica: Replica
  mempool: Pick<Mempool, 'candidates'>
  validatorKey: SigningKey
  beaconKey: BeaconKey
  /** Finalization of the head, for the block above it. */
  lastCert(): Certificate
}

/** MSGDELAY(v): grows with the view, so that a slow network passes in the end. */
export function messageDelayMs(view: bigint): number {
  let ms = MESSAGE_DELAY_MS
  for (let at = 1n; at < view && ms < MESSAGE_DELAY_MS_MAX; at++) ms += ms / 2
  return Math.min(ms, MESSAGE_DELAY_MS_MAX)
}

/** Our own block for a view of the next height. */
export function buildBlock(
  { replica, mempool, validatorKey, beaconKey, lastCert }: ProposerInit,
  view: bigint,
  nowMs: number
): { blockHash: Hash; block: Uint8Array } {
  const parent = replica.parent()
  const height = parent.height + 1n
  const timeMs = Math.max(nowMs, parent.timeMs + 1)
  const proposer = validatorKey.publicKey
  const reveal = revealDue(replica.params, height)
    ? beaconKey.reveal({ ...replica.network, height, mix: replica.mix() })
    : new Uint8Array(0)
  const txs = replica.app.prepareProposal({
    height,
    timeMs: BigInt(timeMs),
    proposer,
    reveal,
    candidates: mempool.candidates(TXS_BYTES_MAX),
    bytesMax: TXS_BYTES_MAX
  })
  const fresh = { originView: view, timeMs, proposer, reveal, lastCert: lastCert(), txs }
  const block = makeBlock(replica.rules(), parent, fresh)
  return { blockHash: blockHashOf(block.header), block: encodeBlock(block) }
}

/** Whether a fresh block of a view may be voted for: form, proposer, time, linkage and every transaction. */
export function isFreshBlockValid(
  replica: Replica,
  { view, block: bytes }: { view: bigint; block: Uint8Array },
  nowMs: number
): boolean {
  try {
    const block = decodeBlock(bytes)
    const { height, timeMs, proposer, reveal, originView } = block.header
    const leader = replica.validators()[replica.leader(view)]!
    if (originView !== view || !equal(leader.publicKey, proposer)) return false
    const parent = replica.parent()
    if (!isTimely(block, { view, nowMs, parentMs: parent.timeMs })) return false
    checkBlock(replica.rules(), parent, block)
    checkCarried(replica, block.lastCert, parent)
    return replica.app.processProposal({ height, timeMs, proposer, reveal, txs: block.txs })
  } catch (error) {
    if (HoldfastError.is(error)) return false
    throw error
  }
}

/**
 * The least step after the block below is always in time: clocks that were set back would stop the ledger otherwise.
 */
function isTimely(
  { header }: Block,
  { view, nowMs, parentMs }: { view: bigint; nowMs: number; parentMs: number }
): boolean {
  const timeMs = Number(header.timeMs)
  if (timeMs < nowMs - messageDelayMs(view) - PRECISION_MS) return false
  return timeMs <= nowMs + PRECISION_MS || timeMs === parentMs + 1
}
