/**
 * The ordering engine inside the daemon, for a validator whose own power is a quorum (a devnet with one validator): it
 * leads every view it needs and finalizes what it proposes. A block is durable before anybody sees it, so nothing that
 * left the process can be contradicted after a crash.
 */
import { equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { SigningKey } from '../base/keys.ts'
import { beaconKeyFromSecret, revealDue } from './beacon.ts'
import { blockHashOf, makeBlock } from './block.ts'
import { makeCertificate, quorumOf, signVote, totalPower } from './certificate.ts'
import type { FinalizedBlock } from './engine.ts'
import type { Mempool } from './mempool.ts'
import type { Replica } from './replica.ts'
import { type Certificate, type Header, TXS_BYTES_MAX, VOTE_KINDS } from './types/block.ts'

export interface EmbeddedEngineInit {
  replica: Replica
  mempool: Mempool
  validatorKey: SigningKey
  /** 32 bytes: KeySet.beaconSecret. */
  beaconSecret: Uint8Array
}

export interface EmbeddedEngine {
  /**
   * Proposes, finalizes and commits the next block. One call at a time.
   * @param nowMs wall clock; the block is later than the one below in any case
   * @throws HoldfastError CONFIG_INVALID when this validator alone is not a quorum; what Replica.applyFinalized throws
   */
  proposeAndFinalize(nowMs: number): Promise<FinalizedBlock>
}

/** @throws HoldfastError CONFIG_INVALID when the keys are not a validator's, or its power is not a quorum */
export function createEmbeddedEngine(init: EmbeddedEngineInit): EmbeddedEngine {
  const { replica, mempool, validatorKey } = init
  const beaconKey = beaconKeyFromSecret(init.beaconSecret)
  ownIndex(replica, validatorKey, beaconKey.publicKey)

  const revealAt = (height: bigint): Uint8Array =>
    revealDue(replica.params, height)
      ? beaconKey.reveal({ ...replica.network, height, mix: replica.mix() })
      : new Uint8Array(0)

  return {
    async proposeAndFinalize(nowMs) {
      const index = ownIndex(replica, validatorKey, beaconKey.publicKey)
      const parent = replica.parent()
      const height = parent.height + 1n
      const view = firstViewOf(replica, index)
      const timeMs = Math.max(nowMs, parent.timeMs + 1)
      const proposer = validatorKey.publicKey
      const reveal = revealAt(height)
      const txs = replica.app.prepareProposal({
        height,
        timeMs: BigInt(timeMs),
        proposer,
        reveal,
        candidates: mempool.candidates(TXS_BYTES_MAX),
        bytesMax: TXS_BYTES_MAX
      })
      const lastCert = replica.certificate(parent.height)!
      const proposal = { originView: view, timeMs, proposer, reveal, lastCert, txs }
      const block = makeBlock(replica.rules(), parent, proposal)
      const cert = finalize(init, block.header, { view, index })
      await replica.applyFinalized(block, cert)
      return { block, cert }
    }
  }
}

function finalize(
  { replica, validatorKey }: EmbeddedEngineInit,
  header: Header,
  { view, index }: { view: bigint; index: number }
): Certificate {
  const vote = {
    ...replica.network,
    kind: VOTE_KINDS.finalize,
    height: header.height,
    view,
    blockHash: blockHashOf(header)
  }
  const signature = signVote(validatorKey, vote)
  return makeCertificate(vote, replica.validators(), [{ index, signature }])
}

/** Position in the set of a validator that is a quorum by itself. */
function ownIndex(replica: Replica, key: SigningKey, beaconPublicKey: Uint8Array): number {
  const validators = replica.validators()
  const index = validators.findIndex(({ publicKey }) => equal(publicKey, key.publicKey))
  const own = validators[index]
  if (own === undefined || !equal(own.beaconKey, beaconPublicKey)) {
    throw new HoldfastError('CONFIG_INVALID', 'these keys are not those of a validator', {
      hint: 'compare `holdfast ledger validators` with the keys of this home'
    })
  }
  if (own.power < quorumOf(totalPower(validators))) {
    throw new HoldfastError('CONFIG_INVALID', 'this validator alone is not a quorum', {
      hint: 'several validators need the consensus engine; until it is here, one holds the quorum'
    })
  }
  return index
}

/** A quorum can skip the views that others lead; it leads one soon, having most of the power. */
function firstViewOf(replica: Replica, index: number): bigint {
  let view = 1n
  while (replica.leader(view) !== index) view++
  return view
}
