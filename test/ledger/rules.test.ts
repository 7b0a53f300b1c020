import assert from 'node:assert/strict'
import { HoldfastError } from '../../src/base/errors.ts'
import { UNITS_MAX } from '../../src/base/money.ts'
import { feeOf } from '../../src/ledger/params.ts'
import { signPeerBinding } from '../../src/ledger/rules/provider.ts'
import { DEAL_LEAVES_MAX } from '../../src/ledger/rules/revision.ts'
import { freedSlots, peerKeys, providers, queued } from '../../src/ledger/state/tables.ts'
import { buildTx, decodeTx, signTx } from '../../src/ledger/transaction.ts'
import { dealIdOf, signTerms } from '../../src/ledger/types/deal.ts'
import { txType } from '../../src/ledger/types/tx.ts'
import { keyOf, pieceOf, TestChain, testGenesis } from './support.ts'

const alice = keyOf('alice')
const bob = keyOf('bob')
const carol = keyOf('carol')
const validator = keyOf('validator')

function newChain(): TestChain {
  return new TestChain(testGenesis({ alice: 10_000_000n, bob: 1_000_000n, validator: 0n }))
}

function transferTo(to: Uint8Array, amountUnits: bigint) {
  return { kind: 'transfer' as const, payload: { to, amountUnits } }
}

describe('ledger transactions', () => {
  it('charge the fee by size and credit it to the proposer', () => {
    const chain = newChain()
    const bytes = chain.encode(alice, transferTo(bob.publicKey, 100n))
    const fee = feeOf(chain.params, bytes.length)
    assert.equal(fee, 7n)
    assert.equal(chain.apply(bytes), 'ok')
    assert.equal(chain.account(alice).balanceUnits, 10_000_000n - 100n - fee)
    assert.equal(chain.account(bob).balanceUnits, 1_000_100n)
    assert.equal(chain.account(validator).balanceUnits, fee)
    assert.equal(chain.account(alice).nonce, 1n)
  })

  it('keep fee and nonce when the rule fails, and nothing else', () => {
    const chain = newChain()
    assert.equal(chain.send(bob, transferTo(alice.publicKey, 2_000_000n)), 'InsufficientFunds')
    assert.equal(chain.account(bob).balanceUnits, 1_000_000n - 7n)
    assert.equal(chain.account(bob).nonce, 1n)
    assert.equal(chain.account(alice).balanceUnits, 10_000_000n)
  })

  it('move money to oneself and refuse nothing', () => {
    const chain = newChain()
    assert.equal(chain.send(alice, transferTo(alice.publicKey, 9_000_000n)), 'ok')
    assert.equal(chain.account(alice).balanceUnits, 10_000_000n - 7n)
    assert.equal(chain.send(alice, transferTo(bob.publicKey, 0n)), 'AmountInvalid')
  })

  it('fail with an outcome on unknown kinds and malformed payloads', () => {
    const chain = newChain()
    const tx = decodeTx(chain.encode(alice, transferTo(bob.publicKey, 1n))).tx
    assert.equal(chain.apply(signTx(alice, { ...tx, kind: 200 })), 'UnknownKind')
    const payload = tx.payload.subarray(1)
    assert.equal(chain.apply(signTx(alice, { ...tx, nonce: 1n, payload })), 'PayloadInvalid')
  })

  const refused: [string, (chain: TestChain) => Uint8Array, string][] = [
    [
      'a nonce ahead',
      c => c.encode(alice, transferTo(bob.publicKey, 1n), { nonce: 1n }),
      'TX_INVALID'
    ],
    [
      'a fee above the maximum',
      c => c.encode(alice, transferTo(bob.publicKey, 1n), { maxFeeUnits: 6n }),
      'TX_INVALID'
    ],
    [
      'a sender without money',
      c => c.encode(carol, transferTo(bob.publicKey, 1n)),
      'INSUFFICIENT_FUNDS'
    ],
    [
      'another key’s signature',
      c => signTx(bob, decodeTx(c.encode(alice, transferTo(bob.publicKey, 1n))).tx),
      'TX_INVALID'
    ],
    [
      'another chain id',
      c =>
        signTx(alice, {
          ...decodeTx(c.encode(alice, transferTo(bob.publicKey, 1n))).tx,
          chainId: 'x'
        }),
      'TX_INVALID'
    ],
    [
      'another genesis',
      c =>
        signTx(alice, {
          ...decodeTx(c.encode(alice, transferTo(bob.publicKey, 1n))).tx,
          genesisHash: new Uint8Array(32)
        }),
      'TX_INVALID'
    ],
    [
      'a height above the expiry',
      c => {
        const bytes = c.encode(alice, transferTo(bob.publicKey, 1n))
        c.toHeight(c.height + 101n)
        return bytes
      },
      'TX_EXPIRED'
    ],
    [
      'a flipped bit',
      c => {
        const bytes = c.encode(alice, transferTo(bob.publicKey, 1n))
        bytes[bytes.length - 1]! ^= 1
        return bytes
      },
      'TX_INVALID'
    ],
    ['too many bytes', () => new Uint8Array(200_000), 'TX_INVALID']
  ]
  for (const [what, make, code] of refused) {
    it(`cannot be in a block with ${what}`, () => {
      const chain = newChain()
      const bytes = make(chain)
      assert.throws(
        () => chain.apply(bytes),
        error => HoldfastError.is(error, code as 'TX_INVALID')
      )
      assert.equal(chain.account(alice).nonce, 0n)
      assert.equal(chain.account(alice).balanceUnits, 10_000_000n)
    })
  }

  it('are taken once: a replay has a used nonce', () => {
    const chain = newChain()
    const bytes = chain.encode(alice, transferTo(bob.publicKey, 1n))
    assert.equal(chain.apply(bytes), 'ok')
    assert.throws(() => chain.apply(bytes), { code: 'TX_INVALID' })
  })

  it('know their exact fee before they are signed', () => {
    const chain = newChain()
    const body = transferTo(bob.publicKey, 1n)
    const init = { network: chain.network, params: chain.params, sender: alice.publicKey, body }
    const tx = buildTx({ ...init, nonce: 0n, expiryHeight: 9n })
    const bytes = signTx(alice, tx)
    assert.equal(tx.maxFeeUnits, feeOf(chain.params, bytes.length))
    assert.deepEqual(txType.serialize(decodeTx(bytes).tx), txType.serialize(tx))
  })
})

describe('providerRegister', () => {
  it('binds a peer key to one account and lets it be changed', () => {
    const chain = newChain()
    const first = keyOf('peer/1')
    const second = keyOf('peer/2')
    assert.equal(chain.register(bob, first), 'ok')
    assert.equal(chain.register(alice, first), 'PeerKeyTaken')
    assert.equal(chain.register(bob, second), 'ok')
    assert.equal(chain.state.get(peerKeys, first.publicKey), undefined)
    assert.deepEqual(chain.state.get(providers, bob.publicKey)?.peerKey, second.publicKey)
    assert.equal(chain.register(alice, first), 'ok')
  })

  it('refuses a signature for another account', () => {
    const chain = newChain()
    const peer = keyOf('peer/1')
    const binding = { ...chain.network, account: alice.publicKey, peerKey: peer.publicKey }
    const payload = { peerKey: peer.publicKey, peerSignature: signPeerBinding(peer, binding) }
    assert.equal(chain.send(bob, { kind: 'providerRegister', payload }), 'SignatureInvalid')
  })
})

describe('dealOpen', () => {
  it('locks escrow and collateral once', () => {
    const chain = newChain()
    chain.register(bob)
    const terms = chain.terms(alice, bob)
    const before = chain.account(alice).balanceUnits
    assert.equal(chain.open(alice, bob, terms), 'ok')
    const client = chain.account(alice)
    assert.equal(client.escrowUnits, 1_000_000n)
    assert.ok(client.balanceUnits < before - 1_000_000n)
    assert.equal(chain.account(bob).collateralUnits, 500n)
    assert.equal(chain.open(alice, bob, terms), 'DealExists')
  })

  it('refuses terms that do not fit', () => {
    const chain = newChain()
    const open = (changes: object) => chain.open(alice, bob, chain.terms(alice, bob, changes))
    assert.equal(open({}), 'ProviderUnknown')
    chain.register(bob)
    assert.equal(open({ chainId: 'other' }), 'WrongNetwork')
    assert.equal(open({ startHeightMax: 0n }), 'TermsExpired')
    assert.equal(open({ endPeriod: 0n }), 'DealOver')
    assert.equal(open({ endPeriod: 41n }), 'TermsTooLong')
    assert.equal(open({ endPeriod: 40n }), 'ok')
    assert.equal(open({ priceUnitsPerGiBPeriod: UNITS_MAX + 1n }), 'AmountInvalid')
    assert.equal(open({ escrowUnits: 20_000_000n }), 'InsufficientFunds')
    assert.equal(open({ collateralUnits: 20_000_000n }), 'InsufficientFunds')
    assert.equal(chain.account(alice).escrowUnits, 1_000_000n)
  })

  it('needs both signatures over exactly these terms', () => {
    const chain = newChain()
    chain.register(bob)
    const terms = chain.terms(alice, bob)
    const other = { ...terms, openNonce: 1n }
    const open = (client: Uint8Array, provider: Uint8Array) =>
      chain.send(carolPays(chain), {
        kind: 'dealOpen',
        payload: { terms, clientSignature: client, providerSignature: provider }
      })
    assert.equal(open(signTerms(alice, other), signTerms(bob, terms)), 'SignatureInvalid')
    assert.equal(open(signTerms(alice, terms), signTerms(alice, terms)), 'SignatureInvalid')
    assert.equal(open(signTerms(alice, terms), signTerms(bob, terms)), 'ok')
    assert.deepEqual(chain.record(dealIdOf(terms)).client, alice.publicKey)
  })
})

/** Anybody may post an open: a third party with a little money. */
function carolPays(chain: TestChain) {
  if (chain.account(carol).balanceUnits < 1_000n) {
    chain.send(alice, transferTo(carol.publicKey, 10_000n))
  }
  return carol
}

describe('dealTopUp', () => {
  it('adds to the escrow until the deal has ended', () => {
    const chain = newChain()
    chain.register(bob)
    const dealId = chain.deal(alice, bob, { endPeriod: 2n })
    const topUp = (amountUnits: bigint, id = dealId) =>
      chain.send(bob, { kind: 'dealTopUp', payload: { dealId: id, amountUnits } })
    assert.equal(topUp(7n), 'ok')
    assert.equal(chain.record(dealId).escrowUnits, 1_000_007n)
    assert.equal(chain.account(alice).escrowUnits, 1_000_007n)
    assert.equal(topUp(0n), 'AmountInvalid')
    assert.equal(topUp(1n, new Uint8Array(32)), 'DealUnknown')
    assert.equal(topUp(100_000_000n), 'InsufficientFunds')
    chain.toPeriod(3n)
    assert.equal(topUp(1n), 'DealOver')
  })
})

describe('dealRevise', () => {
  const piece = pieceOf('p', 5_000)

  function withDeal(changes: object = {}) {
    const chain = newChain()
    chain.register(bob)
    const dealId = chain.deal(alice, bob, changes)
    return { chain, dealId }
  }

  it('takes effect in the next period', () => {
    const { chain, dealId } = withDeal()
    assert.equal(chain.hold(alice, bob, dealId, 3n, [piece]), 'ok')
    const { contents, startPeriod } = chain.record(dealId)
    assert.equal(startPeriod, 1n)
    assert.deepEqual(
      [contents.period, contents.v0.leaves, contents.v1.leaves, contents.v2.leaves],
      [1n, 0n, 0n, 5n]
    )
  })

  it('is posted by either side, newest only, signed by both', () => {
    const { chain, dealId } = withDeal()
    const root = new Uint8Array(32).fill(1)
    const contents = { dealId, root, leaves: 1n, bytes: 1n }
    const send = (revision: bigint, changes = {}) =>
      chain.revise(alice, bob, { ...contents, revision }, changes)
    assert.equal(send(5n, { sender: bob }), 'ok')
    assert.equal(send(5n), 'RevisionStale')
    assert.equal(send(4n), 'RevisionStale')
    assert.equal(send(6n, { sender: carolPays(chain) }), 'NotAParty')
    assert.equal(send(6n, { chainId: 'other' }), 'WrongNetwork')
    assert.equal(chain.revise(alice, alice, { ...contents, revision: 6n }), 'SignatureInvalid')
    assert.equal(
      chain.revise(alice, bob, { ...contents, revision: 6n, dealId: new Uint8Array(32) }),
      'DealUnknown'
    )
    assert.equal(send(6n), 'ok')
  })

  it('refuses leaves and bytes that do not fit', () => {
    const { chain, dealId } = withDeal({ priceUnitsPerGiBPeriod: 0n })
    const send = (leaves: bigint, bytes: bigint) =>
      chain.revise(alice, bob, { dealId, revision: 1n, root: new Uint8Array(32), leaves, bytes })
    assert.equal(send(0n, 1n), 'RevisionInvalid')
    assert.equal(send(2n, 1n), 'RevisionInvalid')
    assert.equal(send(1n, 1025n), 'RevisionInvalid')
    assert.equal(send(DEAL_LEAVES_MAX + 1n, DEAL_LEAVES_MAX * 1024n), 'RevisionInvalid')
    assert.equal(send(DEAL_LEAVES_MAX, DEAL_LEAVES_MAX * 1024n), 'ok')
  })

  it('needs escrow for every period left, to the unit', () => {
    // one unit per byte and period, periods 1..10
    const { chain, dealId } = withDeal({ escrowUnits: 1_000n })
    const send = (revision: bigint, bytes: bigint) =>
      chain.revise(alice, bob, { dealId, revision, root: new Uint8Array(32), leaves: 1n, bytes })
    assert.equal(send(1n, 101n), 'InsufficientEscrow')
    assert.equal(send(1n, 100n), 'ok')
    // in period 2, the periods 1 and 2 may still be proven at the old price
    chain.toPeriod(2n)
    assert.equal(send(2n, 101n), 'InsufficientEscrow')
    assert.equal(send(2n, 100n), 'ok')
    // in period 4, periods 1 and 2 are final and unproven: 1000 are left for 3, 4 and six more
    chain.toPeriod(4n)
    assert.equal(send(3n, 134n), 'InsufficientEscrow')
    assert.equal(send(3n, 133n), 'ok')
    assert.equal(chain.record(dealId).missedPeriods, 2n)
  })

  it('is refused once no period is left to change', () => {
    const { chain, dealId } = withDeal({ endPeriod: 2n })
    chain.toPeriod(1n, 9n)
    assert.equal(chain.hold(alice, bob, dealId, 1n, [piece]), 'ok')
    chain.toPeriod(2n, 0n)
    assert.equal(chain.hold(alice, bob, dealId, 2n, [piece]), 'DealOver')
  })
})

describe('dealClose', () => {
  it('refunds both sides when the last period is final, once', () => {
    const chain = newChain()
    chain.register(bob)
    const dealId = chain.deal(alice, bob, { endPeriod: 2n })
    const close = () => chain.send(bob, { kind: 'dealClose', payload: { dealId } })
    chain.hold(alice, bob, dealId, 1n, [pieceOf('p', 5_000)])
    chain.toPeriod(3n, 9n)
    assert.equal(close(), 'DealNotOver')
    chain.toPeriod(4n, 0n)
    assert.equal(close(), 'ok')
    assert.equal(chain.account(alice).escrowUnits, 0n)
    assert.equal(chain.account(bob).collateralUnits, 0n)
    assert.equal(chain.record(dealId).missedPeriods, 2n)
    assert.equal(close(), 'DealClosed')
    assert.equal(chain.send(bob, { kind: 'dealSettle', payload: { dealId } }), 'DealClosed')
    const opened = chain.terms(alice, bob, { endPeriod: 8n })
    assert.equal(chain.open(alice, bob, opened), 'ok')
  })

  it('frees the slot for deals of two periods later', () => {
    const chain = newChain()
    chain.register(bob)
    const first = chain.deal(alice, bob, { endPeriod: 1n })
    chain.toPeriod(3n)
    assert.equal(chain.send(alice, { kind: 'dealClose', payload: { dealId: first } }), 'ok')
    assert.equal(chain.state.get(freedSlots, queued(bob.publicKey, 0n))?.freedPeriod, 3n)
    chain.toPeriod(4n, 9n)
    const second = chain.deal(alice, bob, { openNonce: 2n, escrowUnits: 1n })
    assert.equal(chain.record(second).slot, 1)
    chain.toPeriod(5n, 0n)
    const third = chain.deal(alice, bob, { openNonce: 3n, escrowUnits: 1n })
    assert.equal(chain.record(third).slot, 0)
    const fourth = chain.deal(alice, bob, { openNonce: 4n, escrowUnits: 1n })
    assert.equal(chain.record(fourth).slot, 2)
  })

  it('takes the leaves out of the challenges when settled in the last period', () => {
    const chain = newChain()
    chain.register(bob)
    const dealId = chain.deal(alice, bob, { endPeriod: 2n })
    chain.hold(alice, bob, dealId, 1n, [pieceOf('p', 5_000)])
    chain.toPeriod(1n)
    assert.equal(chain.send(bob, { kind: 'dealSettle', payload: { dealId } }), 'ok')
    assert.equal(chain.record(dealId).contents.v2.leaves, 5n)
    chain.toPeriod(2n)
    assert.equal(chain.send(bob, { kind: 'dealSettle', payload: { dealId } }), 'ok')
    assert.ok(chain.challenge(bob, 2n))
    chain.toPeriod(3n)
    assert.ok(chain.challenge(bob, 2n))
    assert.equal(chain.challenge(bob, 3n), undefined)
  })
})
