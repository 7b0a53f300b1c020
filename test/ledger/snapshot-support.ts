/** A replica with some of everything in its state, and the way from it to a restored one. */
import { toHex } from '../../src/base/bytes.ts'
import type { SigningKey } from '../../src/base/keys.ts'
import { GIB } from '../../src/base/limits.ts'
import { UNITS_PER_TOKEN } from '../../src/base/money.ts'
import { silentLogger } from '../../src/base/ports.ts'
import type { FinalizedBlock } from '../../src/ledger/engine.ts'
import type { Genesis } from '../../src/ledger/genesis.ts'
import { createLightClient, type LightSource } from '../../src/ledger/light/client.ts'
import { type Trusted, trustGenesis } from '../../src/ledger/light/trust.ts'
import { createReplica, type Replica, type ReplicaInit } from '../../src/ledger/replica.ts'
import { signPeerBinding } from '../../src/ledger/rules/provider.ts'
import type { SnapshotInfo } from '../../src/ledger/snapshot/keeper.ts'
import { SnapshotRestore } from '../../src/ledger/snapshot/restore.ts'
import { type LedgerDb, openLedgerDb } from '../../src/ledger/state/store.ts'
import type { TxBody } from '../../src/ledger/transaction.ts'
import { type DealTerms, signTerms } from '../../src/ledger/types/deal.ts'
import { newFolder, nextBlock, txOf } from './replica-support.ts'
import { keyOf, testGenesis } from './support.ts'
import { registration } from './validator-support.ts'

export const NAMES: readonly string[] = ['v0', 'v1', 'v2', 'v3']
export const client: SigningKey = keyOf('alice')
export const provider: SigningKey = keyOf('bob')

/** So many more accounts than the actors make two chunks, or three. */
export const TWO_CHUNKS = 13_000
export const THREE_CHUNKS = 30_000

export function snapshotGenesis(holders = 0): Genesis {
  const units = 10n * UNITS_PER_TOKEN
  const powers = Object.fromEntries(NAMES.map(name => [name, 1n]))
  const genesis = testGenesis({ alice: units, bob: units, carol: units }, {}, powers)
  const extra = Array.from({ length: holders }, (_, i) => {
    const account = new Uint8Array(32)
    new DataView(account.buffer).setUint32(0, i)
    return { account, units: 1n }
  })
  return { ...genesis, accounts: [...genesis.accounts, ...extra] }
}

export interface OpenLedger {
  db: LedgerDb
  replica: Replica
  blocks: FinalizedBlock[]
}

/** Folders and replicas of one test. */
export class Ledgers {
  readonly #cleanups: (() => Promise<void>)[] = []

  newPath(): string {
    const folder = newFolder()
    this.#cleanups.push(async () => folder.remove())
    return folder.path
  }

  async openDb(path: string = this.newPath()): Promise<LedgerDb> {
    const db = await openLedgerDb(path)
    this.#cleanups.push(() => db.close())
    return db
  }

  async open(genesis: Genesis, init: Partial<ReplicaInit> = {}): Promise<OpenLedger> {
    const db = init.db ?? (await this.openDb())
    const replica = createReplica({ genesis, logger: silentLogger, ...init, db })
    await replica.open()
    this.#cleanups.push(() => replica.close())
    return { db, replica, blocks: [] }
  }

  async close(): Promise<void> {
    for (const cleanup of this.#cleanups.reverse()) await cleanup()
    this.#cleanups.length = 0
  }
}

/** Makes and applies a block with these transactions. */
export async function extend(
  ledger: OpenLedger,
  ...txs: [key: SigningKey, body: TxBody][]
): Promise<void> {
  const { replica, blocks } = ledger
  const counts = new Map<SigningKey, bigint>()
  const signed = txs.map(([key, body]) => {
    const ahead = counts.get(key) ?? 0n
    counts.set(key, ahead + 1n)
    const nonce = replica.account(key.publicKey).nonce + ahead
    return txOf(replica, key, body, { nonce })
  })
  const made = nextBlock(replica, namesOf(replica), signed)
  const { txs: results } = await replica.applyFinalized(made.block, made.cert)
  for (const { outcome } of results) if (outcome !== 'ok') throw new Error(outcome)
  if (results.length !== txs.length) throw new Error('a transaction was left out')
  blocks.push(made)
}

/** The validators of the next height, in their order. */
function namesOf(replica: Replica): string[] {
  const pool = new Map(
    [...NAMES, 'carol'].map(name => [toHex(keyOf(`vote/${name}`).publicKey), name])
  )
  return replica.validators().map(({ publicKey }) => pool.get(toHex(publicKey))!)
}

/** Carol becomes a validator two heights after the end of the epoch. */
export async function addValidator(ledger: OpenLedger): Promise<void> {
  const payload = registration(ledger.replica.network, 'carol', UNITS_PER_TOKEN)
  await extend(ledger, [keyOf('carol'), { kind: 'validatorRegister', payload }])
}

export async function extendTo(ledger: OpenLedger, height: bigint): Promise<void> {
  while (ledger.replica.height < height) {
    const payload = { to: provider.publicKey, amountUnits: ledger.replica.height + 1n }
    await extend(ledger, [client, { kind: 'transfer', payload }])
  }
}

/** Registers the provider and opens so many deals in one block. */
export async function openDeals(ledger: OpenLedger, count: number): Promise<void> {
  const { replica } = ledger
  const peer = keyOf('peer/bob')
  const binding = { ...replica.network, account: provider.publicKey, peerKey: peer.publicKey }
  const peerSignature = signPeerBinding(peer, binding)
  const payload = { peerKey: peer.publicKey, peerSignature }
  await extend(ledger, [provider, { kind: 'providerRegister', payload }])
  await extend(
    ledger,
    ...Array.from({ length: count }, (_, i): [SigningKey, TxBody] => [client, dealBody(replica, i)])
  )
}

function dealBody(replica: Replica, i: number): TxBody {
  const terms: DealTerms = {
    chainId: replica.network.chainId,
    client: client.publicKey,
    provider: provider.publicKey,
    priceUnitsPerGiBPeriod: BigInt(GIB),
    escrowUnits: 1_000n,
    collateralUnits: 1n,
    startHeightMax: 100n,
    endPeriod: 20n,
    openNonce: BigInt(i)
  }
  const [clientSignature, providerSignature] = [client, provider].map(key => signTerms(key, terms))
  return {
    kind: 'dealOpen',
    payload: { terms, clientSignature: clientSignature!, providerSignature: providerSignature! }
  }
}

/** A replica as a source of a light client. */
export function lightSourceOf(replica: Replica, id = 'replica'): LightSource {
  return {
    id,
    lightBlock: async height => replica.light.block(height === 'newest' ? replica.height : height)!
  }
}

/** The block of a height as a light client trusts it that knows the genesis only. */
export async function trustedAt(replica: Replica, height: bigint): Promise<Trusted> {
  const light = createLightClient({ trusted: trustGenesis(replica.genesis), witnessesMin: 0 })
  const primary = lightSourceOf(replica)
  const nowMs = BigInt(replica.head().timeMs)
  const { signal } = new AbortController()
  return (await light.update({ primary, witnesses: [], height, nowMs, signal })).trusted
}

export async function chunksIn(
  replica: Replica,
  { height, chunks }: SnapshotInfo
): Promise<Uint8Array[]> {
  const out: Uint8Array[] = []
  for (let i = 0; i < chunks; i++) out.push((await replica.snapshots.chunk(height, i))!)
  return out
}

export async function beginRestore(
  from: Replica,
  db: LedgerDb,
  { height }: SnapshotInfo
): Promise<SnapshotRestore> {
  const restore = new SnapshotRestore(db)
  await restore.begin({
    above: await trustedAt(from, height + 1n),
    block: from.light.block(height)!
  })
  return restore
}
