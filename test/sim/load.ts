/** What clients and validators send while the faults happen: transfers, and changes of bonds. */
import type { SigningKey } from '../../src/base/keys.ts'
import type { Replica } from '../../src/ledger/replica.ts'
import { signValidatorBinding } from '../../src/ledger/rules/validator.ts'
import { buildTx, signTx, type TxBody } from '../../src/ledger/transaction.ts'
import { UNITS_PER_POWER } from '../../src/ledger/types/validator.ts'
import { clientKey, validatorKeys } from './keys.ts'
import type { SimNode } from './node.ts'
import type { Prng } from './prng.ts'
import type { Scenario } from './scenario.ts'
import type { World } from './world.ts'

export const CLIENTS = 3
const EXPIRES_AFTER_HEIGHTS = 20n
/** One unit of power each: a sixth of SET_CHANGE_POWER_MIN. */
const UNBONDS_PER_VALIDATOR_MAX = 2

export class Load {
  readonly #world: World
  readonly #nodes: readonly SimNode[]
  readonly #scenario: Scenario
  readonly #random: Prng
  readonly #unbonds = new Map<number, number>()

  constructor(init: {
    world: World
    nodes: readonly SimNode[]
    scenario: Scenario
    random: Prng
  }) {
    this.#world = init.world
    this.#nodes = init.nodes
    this.#scenario = init.scenario
    this.#random = init.random
  }

  begin(): void {
    const { loadMs, changesSet } = this.#scenario
    const next = (): void => {
      const live = this.#nodes.filter(({ mempool }) => mempool !== undefined)
      if (live.length > 0) this.#submit(live, changesSet && this.#random.chance(0.5))
      this.#world.after(this.#random.between(1, 2 * loadMs), next)
    }
    this.#world.after(1, next)
  }

  /** Given to a few nodes, as the network would spread it. */
  #submit(live: readonly SimNode[], isBond: boolean): void {
    const { replica, mempool } = this.#random.pick(live)
    const { from, body } = isBond ? this.#bond(replica!) : this.#transfer()
    const tx = buildTx({
      network: replica!.network,
      params: replica!.params,
      sender: from.publicKey,
      nonce: mempool!.nextNonce(from.publicKey),
      expiryHeight: replica!.height + EXPIRES_AFTER_HEIGHTS,
      body
    })
    const bytes = signTx(from, tx)
    for (const node of live) {
      if (!isBond && !this.#random.chance(0.5)) continue
      try {
        node.mempool!.add(bytes)
      } catch {
        // a replica that is behind or ahead does not take it
      }
    }
  }

  #transfer(): { from: SigningKey; body: TxBody } {
    const from = clientKey(this.#random.below(CLIENTS))
    const to = clientKey(this.#random.below(CLIENTS)).publicKey
    const amountUnits = BigInt(this.#random.between(1, 50))
    return { from, body: { kind: 'transfer', payload: { to, amountUnits } } }
  }

  /** The last validator is not in the genesis: it joins. Honest power never falls by more than a sixth. */
  #bond(replica: Replica): { from: SigningKey; body: TxBody } {
    const joining = this.#scenario.powers.length
    const index = this.#random.below(joining + 1)
    const { wallet } = validatorKeys(index)
    const units = UNITS_PER_POWER * BigInt(this.#random.between(1, 2))
    const bond: TxBody = { kind: 'validatorBond', payload: { units } }
    if (index === joining) {
      const { nonce } = replica.account(wallet.publicKey)
      return { from: wallet, body: nonce === 0n ? registrationOf(replica, index) : bond }
    }
    const unbonds = this.#unbonds.get(index) ?? 0
    if (unbonds >= UNBONDS_PER_VALIDATOR_MAX)
      return { from: clientKey(0), body: this.#transfer().body }
    if (this.#scenario.byzantine[index] === undefined && this.#random.chance(0.5)) {
      return { from: wallet, body: bond }
    }
    this.#unbonds.set(index, unbonds + 1)
    const taken = { units: UNITS_PER_POWER }
    return { from: wallet, body: { kind: 'validatorUnbond', payload: taken } }
  }
}

function registrationOf({ network }: Replica, index: number): TxBody {
  const { vote, beacon, wallet } = validatorKeys(index)
  const { chainId, genesisHash } = network
  const binding = {
    chainId,
    genesisHash,
    account: wallet.publicKey,
    voteKey: vote.publicKey,
    beaconKey: beacon.publicKey
  }
  return {
    kind: 'validatorRegister',
    payload: {
      voteKey: vote.publicKey,
      voteSignature: signValidatorBinding(vote, binding),
      beaconKey: beacon.publicKey,
      beaconProof: beacon.provePossession(binding),
      bondUnits: 2n * UNITS_PER_POWER
    }
  }
}
