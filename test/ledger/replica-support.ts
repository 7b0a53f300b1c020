/** Replicas in temporary folders, and blocks signed by any set of test validators. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SigningKey } from '../../src/base/keys.ts'
import { silentLogger } from '../../src/base/ports.ts'
import { beaconKeyFromSecret, revealDue } from '../../src/ledger/beacon.ts'
import { blockHashOf, makeBlock, type Proposal } from '../../src/ledger/block.ts'
import { makeCertificate, signVote } from '../../src/ledger/certificate.ts'
import type { FinalizedBlock } from '../../src/ledger/engine.ts'
import type { Genesis } from '../../src/ledger/genesis.ts'
import { createReplica, type Replica } from '../../src/ledger/replica.ts'
import { type LedgerDb, openLedgerDb } from '../../src/ledger/state/store.ts'
import { buildTx, signTx, type TxBody } from '../../src/ledger/transaction.ts'
import {
  type Certificate,
  type Header,
  TXS_BYTES_MAX,
  VOTE_KINDS
} from '../../src/ledger/types/block.ts'
import { beaconSecretOf, keyOf } from './support.ts'

export interface OpenReplica {
  replica: Replica
  db: LedgerDb
  close(): Promise<void>
}

export function newFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-ledger-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export async function openReplica(path: string, genesis: Genesis): Promise<OpenReplica> {
  const db = await openLedgerDb(path)
  const replica = createReplica({ db, genesis, logger: silentLogger })
  try {
    await replica.open()
  } catch (error) {
    await replica.close()
    await db.close()
    throw error
  }
  return {
    replica,
    db,
    close: async () => {
      await replica.close()
      await db.close()
    }
  }
}

/** Finalized by all validators named; proposed by the leader of view 1. */
export function nextBlock(
  replica: Replica,
  names: readonly string[],
  txs: Uint8Array[] = [],
  changes: Partial<Proposal> = {}
): FinalizedBlock {
  const parent = replica.parent()
  const height = parent.height + 1n
  const name = names[replica.leader(1n)]!
  const proposer = keyOf(`vote/${name}`).publicKey
  const reveal = revealDue(replica.params, height)
    ? beaconKeyFromSecret(beaconSecretOf(name)).reveal({
        ...replica.network,
        height,
        mix: replica.mix()
      })
    : new Uint8Array(0)
  const timeMs = parent.timeMs + 500
  const lastCert = replica.certificate(parent.height)!
  const chosen = replica.app.prepareProposal({
    height,
    timeMs: BigInt(timeMs),
    proposer,
    reveal,
    candidates: txs,
    bytesMax: TXS_BYTES_MAX
  })
  const proposal = { originView: 1n, timeMs, proposer, reveal, lastCert, txs: chosen, ...changes }
  const block = makeBlock(replica.rules(), parent, proposal)
  return { block, cert: certify(replica, names, block.header) }
}

export function certify(
  replica: Replica,
  names: readonly string[],
  header: Header,
  by: readonly number[] = names.map((_, i) => i)
): Certificate {
  const vote = {
    ...replica.network,
    kind: VOTE_KINDS.finalize,
    height: header.height,
    view: 1n,
    blockHash: blockHashOf(header)
  }
  const votes = by.map(index => ({
    index,
    signature: signVote(keyOf(`vote/${names[index]!}`), vote)
  }))
  return makeCertificate(vote, replica.validators(), votes)
}

export function txOf(
  replica: Replica,
  key: SigningKey,
  body: TxBody,
  changes: { nonce?: bigint; maxFeeUnits?: bigint; expiryHeight?: bigint } = {}
): Uint8Array {
  const tx = buildTx({
    network: replica.network,
    params: replica.params,
    sender: key.publicKey,
    nonce: replica.account(key.publicKey).nonce,
    expiryHeight: replica.height + 100n,
    body,
    ...changes
  })
  return signTx(key, tx)
}
