/** The machine over a state in memory, driven block by block, with actors that sign. No database, no engine. */

import { toHex, utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { type SigningKey, signingKeyFromSeed } from '../../src/base/keys.ts'
import { GIB } from '../../src/base/limits.ts'
import { UNITS_PER_TOKEN, type Units } from '../../src/base/money.ts'
import { beaconKeyFromSecret, initialMix } from '../../src/ledger/beacon.ts'
import { type Genesis, genesisHashOf, supplyOfGenesis } from '../../src/ledger/genesis.ts'
import { applyTx } from '../../src/ledger/machine/apply.ts'
import { beginBlock } from '../../src/ledger/machine/begin-block.ts'
import { type BlockContext, newBudget } from '../../src/ledger/machine/context.ts'
import { endBlock } from '../../src/ledger/machine/end-block.ts'
import { genesisState } from '../../src/ledger/machine/genesis-state.ts'
import { accountOf, assertSupply } from '../../src/ledger/machine/money.ts'
import { type Outcome, outcomeOf } from '../../src/ledger/machine/outcomes.ts'
import { setsOf } from '../../src/ledger/machine/validator-sets.ts'
import { defaultParams, type Params, periodAt } from '../../src/ledger/params.ts'
import { type Challenge, challengeFor } from '../../src/ledger/rules/proof.ts'
import { signPeerBinding } from '../../src/ledger/rules/provider.ts'
import { Overlay, type RecordReader } from '../../src/ledger/state/overlay.ts'
import { deals, ONLY, paramsTable } from '../../src/ledger/state/tables.ts'
import { buildTx, signTx, type TxBody } from '../../src/ledger/transaction.ts'
import {
  type DealTerms,
  dealIdOf,
  type Revision,
  signRevision,
  signTerms
} from '../../src/ledger/types/deal.ts'
import type { NetworkId } from '../../src/ledger/types/network.ts'
import type { ProofPayload } from '../../src/ledger/types/proof.ts'
import type { Account, DealRecord, Validator } from '../../src/ledger/types/records.ts'
import { commitPiece, type Opening, openingFor, SumTree } from '../../src/proofs/index.ts'

const keys = new Map<string, SigningKey>()

export function keyOf(name: string): SigningKey {
  let key = keys.get(name)
  if (key === undefined) {
    key = signingKeyFromSeed(sha256(utf8(`test/${name}`)))
    keys.set(name, key)
  }
  return key
}

export function beaconSecretOf(name: string): Uint8Array {
  return sha256(utf8(`beacon/${name}`))
}

export const PERIOD = 10n

export function testParams(changes: Partial<Params> = {}): Params {
  return {
    ...defaultParams(),
    periodHeights: Number(PERIOD),
    leavesPerProof: 3,
    feeBaseUnits: 5n,
    feePerKiBUnits: 2n,
    dealPeriodsMax: 40,
    revealEveryHeights: 10,
    epochHeights: 10,
    minBondUnits: UNITS_PER_TOKEN,
    unbondingHeights: 60,
    evidenceHeights: 50,
    downtimeHeights: 20,
    jailHeights: 15,
    ...changes
  }
}

export function testGenesis(
  accounts: Record<string, Units>,
  changes: Partial<Params> = {},
  validators: Record<string, bigint> = { validator: 1n }
): Genesis {
  return {
    chainId: 'test-1',
    genesisTimeMs: 1_700_000_000_000n,
    params: testParams(changes),
    accounts: Object.entries(accounts).map(([name, units]) => ({
      account: keyOf(name).publicKey,
      units
    })),
    validators: Object.entries(validators).map(([name, power]) => ({
      publicKey: keyOf(`vote/${name}`).publicKey,
      power,
      account: keyOf(name).publicKey,
      beaconKey: beaconKeyFromSecret(beaconSecretOf(name)).publicKey
    }))
  }
}

/** A piece held by a test provider. */
export interface TestPiece {
  bytes: Uint8Array
  root: Uint8Array
  groupCvs: Uint8Array
}

export function pieceOf(seed: string, length: number): TestPiece {
  const bytes = new Uint8Array(length)
  let block = sha256(utf8(seed))
  for (let at = 0; at < length; at += 32) {
    block = sha256(block)
    bytes.set(block.subarray(0, Math.min(32, length - at)), at)
  }
  const { root, groupCvs } = commitPiece(bytes)
  return { bytes, root, groupCvs }
}

export function treeOf(pieces: readonly TestPiece[]): SumTree {
  return SumTree.from(pieces.map(({ root, bytes }) => ({ root, bytes: bytes.length })))
}

/** Opens one leaf of a deal from the pieces in memory. */
export async function openLeafOf(
  pieces: readonly TestPiece[],
  leafIndex: bigint
): Promise<Opening> {
  const pieceAt = (root: Uint8Array): TestPiece =>
    pieces.find(piece => Buffer.compare(piece.root, root) === 0)!
  return await openingFor({
    tree: treeOf(pieces),
    leafIndex,
    readGroup: async (root, group) =>
      pieceAt(root).bytes.subarray(group * 16_384, (group + 1) * 16_384),
    groupCvsOf: async root => pieceAt(root).groupCvs
  })
}

export class TestChain {
  readonly genesis: Genesis
  readonly network: NetworkId
  readonly supplyUnits: Units
  readonly state: Overlay
  height = 0n
  /** Accounts whose validators sign nothing. */
  readonly absent: SigningKey[] = []
  /** Changes of the set by the height of the block that brought them. */
  readonly updates: Map<bigint, Validator[]> = new Map()
  #context: BlockContext

  /** @param from a chain to go on from, which stays as it is, and how its state is read */
  constructor(genesis: Genesis, from?: { chain: TestChain; state: RecordReader }) {
    this.genesis = genesis
    this.supplyUnits = supplyOfGenesis(genesis)
    this.network = { chainId: genesis.chainId, genesisHash: genesisHashOf(genesis) }
    this.state = new Overlay(from?.state ?? { read: () => undefined })
    if (from === undefined) genesisState(this.state, genesis, initialMix(this.network.genesisHash))
    this.height = from?.chain.height ?? 0n
    this.#context = this.#contextAt(this.height)
    if (from === undefined) this.#next()
  }

  /** The same state, free to be gone on from; this one stays as it is. */
  fork(read: RecordReader['read'] = record => this.state.read(record)): TestChain {
    return new TestChain(this.genesis, { chain: this, state: { read } })
  }

  get params(): Params {
    return this.state.get(paramsTable, ONLY)!
  }

  get period(): bigint {
    return periodAt(this.params, this.height)
  }

  /** Begins blocks up to this one; transactions go into it. */
  toHeight(height: bigint): void {
    while (this.height < height) {
      const absent = this.absent.map(({ publicKey }) => toHex(publicKey))
      const signers = setsOf(this.state).last.map(({ account }) => !absent.includes(toHex(account)))
      const updates = endBlock(this.#context, this.height === 1n ? [] : signers)
      if (updates.length > 0) this.updates.set(this.height, updates)
      assertSupply(this.state, this.supplyUnits)
      this.#next()
    }
  }

  #next(): void {
    this.height++
    this.#context = this.#contextAt(this.height)
    beginBlock(this.#context, new Uint8Array(0))
  }

  /** The block `offset` heights into a period. */
  toPeriod(period: bigint, offset = 1n): void {
    this.toHeight(period * BigInt(this.params.periodHeights) + offset)
  }

  encode(
    key: SigningKey,
    body: TxBody,
    changes: { nonce?: bigint; maxFeeUnits?: Units } = {}
  ): Uint8Array {
    return signTx(
      key,
      buildTx({
        network: this.network,
        params: this.params,
        sender: key.publicKey,
        nonce: this.account(key).nonce,
        expiryHeight: this.height + 100n,
        body,
        ...changes
      })
    )
  }

  send(key: SigningKey, body: TxBody): Outcome {
    return this.apply(this.encode(key, body))
  }

  apply(bytes: Uint8Array): Outcome {
    return outcomeOf(applyTx(this.#context, bytes).code)
  }

  account(key: SigningKey): Account {
    return accountOf(this.state, key.publicKey)
  }

  register(key: SigningKey, peer: SigningKey = keyOf(`peer/${key.publicKey[0]}`)): Outcome {
    const binding = { ...this.network, account: key.publicKey, peerKey: peer.publicKey }
    const peerSignature = signPeerBinding(peer, binding)
    const payload = { peerKey: peer.publicKey, peerSignature }
    return this.send(key, { kind: 'providerRegister', payload })
  }

  terms(client: SigningKey, provider: SigningKey, changes: Partial<DealTerms> = {}): DealTerms {
    return {
      chainId: this.network.chainId,
      client: client.publicKey,
      provider: provider.publicKey,
      priceUnitsPerGiBPeriod: BigInt(GIB),
      escrowUnits: 1_000_000n,
      collateralUnits: 500n,
      startHeightMax: this.height + 50n,
      endPeriod: this.period + 10n,
      openNonce: 0n,
      ...changes
    }
  }

  open(client: SigningKey, provider: SigningKey, terms: DealTerms): Outcome {
    return this.send(client, {
      kind: 'dealOpen',
      payload: {
        terms,
        clientSignature: signTerms(client, terms),
        providerSignature: signTerms(provider, terms)
      }
    })
  }

  /** Opens a deal that has to succeed. */
  deal(client: SigningKey, provider: SigningKey, changes: Partial<DealTerms> = {}): Uint8Array {
    const terms = this.terms(client, provider, changes)
    const outcome = this.open(client, provider, terms)
    if (outcome !== 'ok') throw new Error(`dealOpen: ${outcome}`)
    return dealIdOf(terms)
  }

  record(id: Uint8Array): DealRecord {
    return this.state.get(deals, id)!
  }

  revise(
    client: SigningKey,
    provider: SigningKey,
    revision: Omit<Revision, 'chainId'>,
    changes: { sender?: SigningKey; chainId?: string } = {}
  ): Outcome {
    const body = { chainId: this.network.chainId, ...revision, ...changes } as Revision
    const signed: Revision = {
      chainId: body.chainId,
      dealId: body.dealId,
      revision: body.revision,
      root: body.root,
      leaves: body.leaves,
      bytes: body.bytes
    }
    return this.send(changes.sender ?? client, {
      kind: 'dealRevise',
      payload: {
        revision: signed,
        clientSignature: signRevision(client, signed),
        providerSignature: signRevision(provider, signed)
      }
    })
  }

  /** A revision to these pieces. */
  hold(
    client: SigningKey,
    provider: SigningKey,
    dealId: Uint8Array,
    revision: bigint,
    pieces: readonly TestPiece[]
  ): Outcome {
    const tree = treeOf(pieces)
    const contents = { root: tree.root(), leaves: tree.leaves, bytes: tree.bytes }
    return this.revise(client, provider, { dealId, revision, ...contents })
  }

  challenge(provider: SigningKey, period: bigint): Challenge | undefined {
    return challengeFor(this.state, this.params, provider.publicKey, period)
  }

  /** The honest proof; `pieces` by deal id and revision. */
  async proofOf(
    provider: SigningKey,
    period: bigint,
    pieces: (dealId: Uint8Array, revision: bigint) => readonly TestPiece[]
  ): Promise<ProofPayload> {
    const challenge = this.challenge(provider, period)
    if (challenge === undefined) return { period, openings: [] }
    const openings: Opening[] = []
    for (const { dealId, revision, leafIndex } of challenge.leaves) {
      openings.push(await openLeafOf(pieces(dealId, revision), leafIndex))
    }
    return { period, openings }
  }

  #contextAt(height: bigint): BlockContext {
    return {
      state: this.state,
      params: this.params,
      network: this.network,
      height,
      period: periodAt(this.params, height),
      feeAccount: keyOf('validator').publicKey,
      budget: newBudget()
    }
  }
}
