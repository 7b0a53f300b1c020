import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.ts'
import { channels, payerChannelCounts, payerChannels } from '../../src/ledger/state/tables.ts'
import { signVoucher } from '../../src/ledger/types/channel.ts'
import { itRandom } from '../proofs/random.ts'
import { client, DealChain, provider, stranger } from './deal-support.ts'
import { keyOf } from './support.ts'

function opened() {
  const chain = new DealChain()
  const { outcome, id } = chain.openChannel()
  assert.equal(outcome, 'ok')
  return { chain, id, record: () => chain.state.get(channels, id) }
}

describe('channelOpen', () => {
  it('locks the deposit of the payer', () => {
    const { chain, record } = opened()
    assert.equal(chain.account(client).escrowUnits, 1_000n)
    assert.deepEqual(
      [record()!.depositUnits, record()!.redeemedUnits, record()!.settledHeight],
      [1_000n, 0n, 36n]
    )
    assert.equal(chain.openChannel().outcome, 'ChannelExists')
    assert.equal(chain.openChannel({ openNonce: 2n }).outcome, 'ok')
  })

  it('refuses nothing, everything, and for ever', () => {
    const chain = new DealChain()
    assert.equal(chain.openChannel({ depositUnits: 0n }).outcome, 'AmountInvalid')
    assert.equal(chain.openChannel({ depositUnits: 10n ** 17n }).outcome, 'InsufficientFunds')
    assert.equal(chain.openChannel({ heights: 0n }).outcome, 'ChannelExpired')
    assert.equal(chain.openChannel({ heights: 401n }).outcome, 'ChannelTooLong')
    assert.equal(chain.openChannel({ heights: 400n }).outcome, 'ok')
    assert.equal(chain.account(client).escrowUnits, 1_000n)
  })
})

describe('channelTopUp', () => {
  const topUp = (
    { chain, id }: ReturnType<typeof opened>,
    amountUnits: bigint,
    heights: bigint,
    sender = client
  ) =>
    chain.send(sender, {
      kind: 'channelTopUp',
      payload: { channelId: id, amountUnits, expiryHeight: 31n + heights }
    })

  it('adds to the deposit and moves the expiry, never back', () => {
    const open = opened()
    assert.equal(topUp(open, 5n, 0n), 'ok')
    assert.equal(topUp(open, 0n, 9n), 'ok')
    assert.deepEqual(
      [open.record()!.depositUnits, open.record()!.expiryHeight, open.record()!.settledHeight],
      [1_005n, 40n, 45n]
    )
    assert.equal(open.chain.account(client).escrowUnits, 1_005n)
    assert.equal(topUp(open, 5n, 0n), 'ChannelExpired')
    assert.equal(topUp(open, 0n, 9n), 'AmountInvalid')
    assert.equal(topUp(open, 1n, 9n, provider), 'NotAParty')
    assert.equal(topUp(open, 1n, 500n), 'ChannelTooLong')
    open.chain.toHeight(41n)
    assert.equal(topUp(open, 1n, 20n), 'ChannelExpired')
  })
})

describe('channelRedeem', () => {
  it('pays the difference to the last one, whoever sends it', () => {
    const { chain, id, record } = opened()
    const before = chain.account(provider).balanceUnits
    assert.equal(chain.redeem(id, 300n, { sender: stranger }), 'ok')
    assert.equal(chain.redeem(id, 1_000n, { sender: stranger }), 'ok')
    assert.equal(chain.account(provider).balanceUnits, before + 1_000n)
    assert.equal(chain.account(client).escrowUnits, 0n)
    assert.equal(record()!.redeemedUnits, 1_000n)
  })

  it('takes no voucher twice, none out of order, none that is not backed', () => {
    const { chain, id } = opened()
    assert.equal(chain.redeem(id, 300n), 'ok')
    assert.equal(chain.redeem(id, 300n), 'VoucherStale')
    assert.equal(chain.redeem(id, 299n), 'VoucherStale')
    assert.equal(chain.redeem(id, 0n), 'VoucherStale')
    assert.equal(chain.redeem(id, 1_001n), 'VoucherUnbacked')
  })

  it('takes none of somebody else, another channel or another network', () => {
    const { chain, id } = opened()
    const other = chain.openChannel({ openNonce: 7n }).id
    assert.equal(chain.redeem(id, 10n, { signer: provider }), 'SignatureInvalid')
    assert.equal(chain.redeem(id, 10n, { named: other }), 'SignatureInvalid')
    for (const network of [
      { ...chain.network, chainId: 'test-2' },
      { ...chain.network, genesisHash: new Uint8Array(32) }
    ]) {
      const signature = signVoucher(client, { ...network, channelId: id, cumulativeUnits: 10n })
      const payload = { channelId: id, cumulativeUnits: 10n, signature }
      assert.equal(chain.send(provider, { kind: 'channelRedeem', payload }), 'SignatureInvalid')
    }
    assert.equal(chain.redeem(new Uint8Array(32), 10n), 'ChannelUnknown')
    assert.equal(chain.redeem(id, 10n), 'ok')
  })

  it('is still possible after the expiry, as long as the channel is there', () => {
    const { chain, id } = opened()
    chain.toHeight(500n)
    assert.equal(chain.redeem(id, 10n), 'ok')
    assert.equal(chain.closeChannel(id, client), 'ok')
    assert.equal(chain.redeem(id, 20n), 'ChannelUnknown')
  })
})

describe('channelClose', () => {
  it('is for the payee at any time', () => {
    const { chain, id, record } = opened()
    chain.redeem(id, 400n)
    const before = chain.account(client).balanceUnits
    assert.equal(chain.closeChannel(id, stranger), 'NotAParty')
    assert.equal(chain.closeChannel(id, provider), 'ok')
    assert.equal(chain.account(client).balanceUnits, before + 600n)
    assert.equal(chain.account(client).escrowUnits, 0n)
    assert.equal(record(), undefined)
    assert.equal(chain.closeChannel(id, provider), 'ChannelUnknown')
  })

  it('is for the payer when expiry and settlement delay are over', () => {
    const { chain, id } = opened()
    chain.toHeight(36n)
    assert.equal(chain.closeChannel(id, client), 'ChannelNotOver')
    chain.toHeight(37n)
    assert.equal(chain.closeChannel(id, client), 'ok')
  })

  itRandom('keeps the list of a payer’s channels exact, in any order of closing', random => {
    const chain = new DealChain()
    const open = new Set<string>()
    let nonce = 100n
    const listed = (): string[] => {
      const count = chain.state.get(payerChannelCounts, client.publicKey) ?? 0
      return Array.from({ length: count }, (_, i) => {
        const key = Buffer.concat([client.publicKey, Uint8Array.of(0, 0, 0, i)])
        const id = chain.state.get(payerChannels, key)!
        assert.equal(chain.state.get(channels, id)!.index, i)
        return toHex(id)
      })
    }
    for (let i = 0; i < 80; i++) {
      if (open.size === 0 || random.int(2) === 0) {
        open.add(toHex(chain.openChannel({ openNonce: nonce++ }).id))
      } else {
        const id = [...open][random.int(open.size)]!
        assert.equal(chain.closeChannel(Buffer.from(id, 'hex'), provider), 'ok')
        open.delete(id)
      }
      assert.deepEqual(listed().sort(), [...open].sort())
    }
    assert.equal(chain.account(keyOf('alice')).escrowUnits, BigInt(open.size) * 1_000n)
  })
})
