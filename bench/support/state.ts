/** A state of so many accounts in a database, and blocks of changes to it. */
import { sha256 } from '../../src/base/hash.ts'
import type { RecordChange } from '../../src/ledger/state/overlay.ts'
import type { StateStore } from '../../src/ledger/state/store.ts'
import { accounts, recordKey } from '../../src/ledger/state/tables.ts'

const FILL_BATCH = 10_000
/** As many as 100 transfers between strangers. */
export const CHANGES_PER_BLOCK = 200

function changeOf(index: number, balanceUnits: bigint): RecordChange {
  const key = new Uint8Array(32)
  new DataView(key.buffer).setUint32(0, index)
  const record = recordKey(accounts, sha256(key))
  const value = accounts.type.serialize({
    balanceUnits,
    nonce: 0n,
    escrowUnits: 0n,
    collateralUnits: 0n
  })
  return { record, value }
}

export async function fillState(
  store: StateStore,
  records: number,
  signal: AbortSignal
): Promise<void> {
  for (let first = 0; first < records; first += FILL_BATCH) {
    signal.throwIfAborted()
    const length = Math.min(FILL_BATCH, records - first)
    const changes = Array.from({ length }, (_, i) => changeOf(first + i, 1n))
    await store.commit(store.prepare(changes).writes)
  }
}

/** Changes and commits accounts all over the state; another choice for every `block`. */
export async function commitBlock(
  store: StateStore,
  records: number,
  block: number
): Promise<void> {
  const step = Math.floor(records / CHANGES_PER_BLOCK)
  const changes = Array.from({ length: CHANGES_PER_BLOCK }, (_, i) =>
    changeOf(i * step + (block % step), BigInt(block + 2))
  )
  await store.commit(store.prepare(changes).writes)
}
