/**
 * A ledger of one validator in a temporary folder, driven through the interface a daemon uses: mempool, consensus
 * driver with its journal on the disk, replica. Blocks come when they are asked for.
 */

import { join } from 'node:path'
import { assert } from '../../src/base/assert.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { type SigningKey, signingKeyFromSeed } from '../../src/base/keys.ts'
import { UNITS_PER_TOKEN } from '../../src/base/money.ts'
import { silentLogger } from '../../src/base/ports.ts'
import {
  beaconKeyFromSecret,
  buildTx,
  checkGenesis,
  createReplica,
  defaultParams,
  Mempool,
  openLedgerDb,
  type Replica,
  signTx,
  type TxBody,
  txHash
} from '../../src/ledger/index.ts'
import { openAppendFile } from '../../src/node/validator/append-file.ts'
import { startSolo } from '../../test/ledger/solo-validator.ts'
import { makeTempFolder } from './temp-folder.ts'

const GENESIS_TIME_MS = 1_700_000_000_000
const BLOCK_MS = 500
const EXPIRES_AFTER_HEIGHTS = 100n
/** So that every period has its block of seed and some for the proofs. */
export const PERIOD_HEIGHTS = 4

/** One token each; genesis wants as much as the least bond. */
const VALIDATOR_POWER = 1_000n

export interface BenchChain {
  replica: Replica
  /** A signed transaction; `ahead` counts those of the same sender that wait already. */
  sign(key: SigningKey, body: TxBody, ahead?: number): Uint8Array
  /** Admits the transactions, makes one block of them and commits it. @throws AssertionError unless all succeed */
  include(txs: readonly Uint8Array[]): Promise<void>
  close(): Promise<void>
}

export function benchKey(name: string): SigningKey {
  return signingKeyFromSeed(sha256(utf8(`bench/${name}`)))
}

/** @param holders who has money from the start */
export async function openBenchChain(holders: readonly SigningKey[]): Promise<BenchChain> {
  const validator = benchKey('validator')
  const beaconKey = beaconKeyFromSecret(sha256(utf8('bench/beacon')))
  const genesis = checkGenesis({
    chainId: 'bench-1',
    genesisTimeMs: BigInt(GENESIS_TIME_MS),
    params: {
      ...defaultParams(),
      periodHeights: PERIOD_HEIGHTS,
      revealEveryHeights: PERIOD_HEIGHTS
    },
    accounts: holders.map(({ publicKey }) => ({
      account: publicKey,
      units: 100_000n * UNITS_PER_TOKEN
    })),
    validators: [
      {
        publicKey: validator.publicKey,
        power: VALIDATOR_POWER,
        account: validator.publicKey,
        beaconKey: beaconKey.publicKey
      }
    ]
  })
  const folder = await makeTempFolder()
  const db = await openLedgerDb(join(folder.path, 'db'))
  const replica = createReplica({ db, genesis, logger: silentLogger })
  await replica.open()
  const mempool = new Mempool(replica)
  const files = [
    await openAppendFile(join(folder.path, 'journal-0')),
    await openAppendFile(join(folder.path, 'journal-1'))
  ] as const
  const solo = await startSolo({ replica, mempool, validatorKey: validator, beaconKey, files })
  return {
    replica,
    sign: (key, body, ahead = 0) => {
      const { network, params } = replica
      const nonce = replica.account(key.publicKey).nonce + BigInt(ahead)
      const expiryHeight = replica.height + EXPIRES_AFTER_HEIGHTS
      const sender = key.publicKey
      return signTx(key, buildTx({ network, params, sender, nonce, expiryHeight, body }))
    },
    include: async txs => {
      for (const tx of txs) mempool.add(tx)
      await solo.next(GENESIS_TIME_MS + Number(replica.height + 1n) * BLOCK_MS)
      for (const tx of txs) {
        const outcome = replica.txResult(txHash(tx))?.outcome
        assert(outcome === 'ok', `a transaction of the bench came to ${outcome ?? 'nothing'}`)
      }
    },
    close: async () => {
      await solo.stop()
      for (const file of files) await file.close()
      mempool.close()
      await replica.close()
      await db.close()
      await folder.remove()
    }
  }
}
