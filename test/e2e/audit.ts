/** Looks at the ledgers that stopped nodes left on their disks: one history, one state, and no unit lost or made. */
import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.ts'
import { silentLogger } from '../../src/base/ports.ts'
import {
  createReplica,
  type Genesis,
  openLedgerDb,
  parseGenesis,
  type Replica
} from '../../src/ledger/index.ts'
import { openHome } from '../../src/node/home.ts'
import { homePaths } from '../../src/node/home-files.ts'

export interface LedgerFacts {
  height: bigint
  /** State hash by height, hex. */
  stateHashes: Map<bigint, string>
  /** Every unit of the genesis. */
  supplyUnits: bigint
  /** Balances, escrows and collaterals of the accounts of the genesis. */
  heldUnits: bigint
  burntUnits: bigint
}

/** @throws AssertionError when money does not add up */
export async function auditHome(home: string): Promise<LedgerFacts> {
  const { ledger } = homePaths(home)
  const genesis = parseGenesis((await openHome(home)).genesis)
  const db = await openLedgerDb(ledger)
  const replica = createReplica({ db, genesis, logger: silentLogger })
  try {
    await replica.open()
    return factsOf(replica, genesis, (await replica.audit()).burntUnits)
  } finally {
    await replica.close()
    await db.close()
  }
}

function factsOf(replica: Replica, genesis: Genesis, burntUnits: bigint): LedgerFacts {
  const { height } = replica.head()
  const stateHashes = new Map<bigint, string>()
  for (let at = 1n; at <= height; at++) stateHashes.set(at, toHex(replica.stateHashAt(at)!))
  let heldUnits = 0n
  let supplyUnits = 0n
  for (const { account, units } of genesis.accounts) {
    const { availableUnits, escrowUnits, collateralUnits } = replica.account(account)
    heldUnits += availableUnits + escrowUnits + collateralUnits
    supplyUnits += units
  }
  assert.equal(heldUnits + burntUnits, supplyUnits, 'balances, escrows, collaterals and fees')
  return { height, stateHashes, supplyUnits, heldUnits, burntUnits }
}

/** Every home holds a prefix of the same history. */
export async function assertOneLedger(homes: readonly string[]): Promise<LedgerFacts[]> {
  const facts: LedgerFacts[] = []
  for (const home of homes) facts.push(await auditHome(home))
  const longest = facts.reduce((a, b) => (a.height >= b.height ? a : b))
  for (const [i, { height, stateHashes }] of facts.entries()) {
    for (const [at, hash] of stateHashes) {
      assert.equal(hash, longest.stateHashes.get(at), `${homes[i]} differs at height ${at}`)
    }
    assert.ok(height > 0n)
  }
  return facts
}
