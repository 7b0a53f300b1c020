/** The channels of random operations. */
import assert from 'node:assert/strict'
import type { SigningKey } from '../../src/base/keys.ts'
import type { Units } from '../../src/base/money.ts'
import type { Outcome } from '../../src/ledger/machine/outcomes.ts'
import { channels } from '../../src/ledger/state/tables.ts'
import { type ChannelRecord, channelIdOf, signVoucher } from '../../src/ledger/types/channel.ts'
import type { TestRandom } from '../proofs/random.ts'
import type { TestChain } from './support.ts'

export interface OpenChannel {
  id: Uint8Array
  payer: SigningKey
  payee: SigningKey
}

export class PlayChannels {
  readonly #chain: TestChain
  readonly #random: TestRandom
  readonly #payers: readonly SigningKey[]
  readonly #payees: readonly SigningKey[]
  open: OpenChannel[] = []
  #nonce = 0n

  constructor(
    chain: TestChain,
    random: TestRandom,
    parties: { payers: readonly SigningKey[]; payees: readonly SigningKey[] }
  ) {
    this.#chain = chain
    this.#random = random
    this.#payers = parties.payers
    this.#payees = parties.payees
  }

  operation(): Outcome {
    const random = this.#random
    if (this.open.length === 0 || random.int(5) === 0) return this.#start()
    const channel = this.#pick(this.open)
    const roll = random.int(10)
    if (roll === 0) return this.#close(channel)
    return roll < 3 ? this.#topUp(channel) : this.#redeem(channel)
  }

  /** What is still locked. */
  lockedUnits(): Units {
    let sum = 0n
    for (const channel of this.open) {
      const { depositUnits, redeemedUnits } = this.#record(channel)
      assert.ok(redeemedUnits <= depositUnits)
      sum += depositUnits - redeemedUnits
    }
    return sum
  }

  #start(): Outcome {
    const random = this.#random
    const [payer, payee] = [this.#pick(this.#payers), this.#pick(this.#payees)]
    const payload = {
      payee: payee.publicKey,
      depositUnits: BigInt(random.int(500)),
      expiryHeight: this.#chain.height + BigInt(random.int(60)),
      openNonce: this.#nonce++
    }
    const outcome = this.#chain.send(payer, { kind: 'channelOpen', payload })
    const id = channelIdOf(this.#chain.network, payer.publicKey, payload)
    if (outcome === 'ok') this.open.push({ id, payer, payee })
    return outcome
  }

  #close(channel: OpenChannel): Outcome {
    const { id: channelId, payer, payee } = channel
    const sender = this.#random.int(3) === 0 ? payee : payer
    const outcome = this.#chain.send(sender, { kind: 'channelClose', payload: { channelId } })
    if (outcome === 'ok') this.open = this.open.filter(other => other !== channel)
    return outcome
  }

  #topUp(channel: OpenChannel): Outcome {
    const random = this.#random
    const expiryHeight = this.#record(channel).expiryHeight + BigInt(random.int(8))
    const amountUnits = BigInt(random.int(200))
    const payload = { channelId: channel.id, amountUnits, expiryHeight }
    return this.#chain.send(channel.payer, { kind: 'channelTopUp', payload })
  }

  #redeem(channel: OpenChannel): Outcome {
    const { id: channelId, payer, payee } = channel
    const random = this.#random
    const cumulativeUnits = BigInt(random.int(Number(this.#record(channel).depositUnits) + 20))
    const signer = random.int(9) === 0 ? payee : payer
    const signature = signVoucher(signer, { ...this.#chain.network, channelId, cumulativeUnits })
    const payload = { channelId, cumulativeUnits, signature }
    const sender = this.#pick([...this.#payers, ...this.#payees])
    const outcome = this.#chain.send(sender, { kind: 'channelRedeem', payload })
    if (outcome === 'ok') assert.equal(signer, payer)
    return outcome
  }

  #record({ id }: OpenChannel): ChannelRecord {
    return this.#chain.state.get(channels, id)!
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random.int(from.length)]!
  }
}
