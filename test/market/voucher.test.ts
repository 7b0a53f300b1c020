import assert from 'node:assert/strict'
import { utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { type SigningKey, signingKeyFromSeed } from '../../src/base/keys.ts'
import { GIB, MIB } from '../../src/base/limits.ts'
import type { NetworkId } from '../../src/ledger/index.ts'
import {
  accept,
  type ChannelFacts,
  channelFacts,
  claimUnits,
  depositShortfall,
  mayServe,
  openPayeeBook,
  openPayerBook,
  type PayeeBook,
  type PayerBook,
  promise,
  type RetrievalTerms,
  received,
  redeemDue,
  refreshPayee,
  refreshPayer,
  restorePayerBook,
  retrievalUnits,
  type SignedVoucher,
  served
} from '../../src/market/index.ts'
import { itRandom, type TestRandom } from '../proofs/random.ts'

const network: NetworkId = { chainId: 'test-1', genesisHash: sha256(utf8('genesis')) }
const payer: SigningKey = signingKeyFromSeed(sha256(utf8('payer')))
const payee: SigningKey = signingKeyFromSeed(sha256(utf8('payee')))

/** One unit per byte. */
const TERMS: RetrievalTerms = {
  egressUnitsPerGiB: BigInt(GIB),
  windowBytes: 4_000,
  freeBytes: 1_000
}

function channelOf(changes: Partial<ChannelFacts> = {}): ChannelFacts {
  const view = {
    id: sha256(utf8('channel')),
    payer: payer.publicKey,
    payee: payee.publicKey,
    depositUnits: 100_000n,
    redeemedUnits: 0n,
    expiryHeight: 1_000n,
    settledHeight: 1_100n
  }
  return { ...channelFacts(network, view), ...changes }
}

function voucherOf(units: bigint, channel = channelOf(), key = payer): SignedVoucher {
  const book = received(
    openPayerBook({ ...channel, depositUnits: 10n ** 9n }),
    Number(units) + 1_000
  )
  return promise(book, TERMS, key).voucher!
}

describe('prices of retrieval', () => {
  it('begin after the free bytes and are rounded up over the whole channel', () => {
    const terms = { ...TERMS, egressUnitsPerGiB: 1_000n }
    assert.equal(retrievalUnits(terms, 0n), 0n)
    assert.equal(retrievalUnits(terms, 1_000n), 0n)
    assert.equal(retrievalUnits(terms, 1_001n), 1n)
    assert.equal(retrievalUnits(terms, 1_000n + BigInt(GIB)), 1_000n)
    assert.equal(retrievalUnits(terms, 1_001n + BigInt(GIB)), 1_001n)
  })
})

describe('the payer', () => {
  it('promises what came, once, and never above the deposit', () => {
    const channel = channelOf({ depositUnits: 2_500n })
    assert.equal(promise(openPayerBook(channel), TERMS, payer).voucher, undefined)
    let book = promise(received(openPayerBook(channel), 3_000), TERMS, payer)
    assert.equal(book.voucher?.cumulativeUnits, 2_000n)
    assert.equal(promise(book, TERMS, payer), book, 'nothing new, the last one again')
    book = promise(received(book, 5_000), TERMS, payer)
    assert.equal(book.voucher?.cumulativeUnits, 2_500n)
    assert.equal(depositShortfall(book, TERMS, 0), 4_500n)
    assert.equal(depositShortfall(book, TERMS, 1_000), 5_500n)
    const topped = refreshPayer(book, channelOf())
    assert.equal(depositShortfall(topped, TERMS, 1_000), 0n)
    assert.equal(promise(topped, TERMS, payer).voucher?.cumulativeUnits, 7_000n)
  })

  it('believes a claim one window above what came, no more', () => {
    const book = received(openPayerBook(channelOf()), 3_000)
    assert.equal(promise(book, TERMS, payer, 6_000n).voucher?.cumulativeUnits, 6_000n)
    assert.throws(() => promise(book, TERMS, payer, 6_001n), { code: 'PROTOCOL_VIOLATION' })
    assert.equal(promise(book, TERMS, payer, 0n).voucher, undefined)
  })

  it('finds its book again by its own voucher', () => {
    const voucher = voucherOf(500n)
    const book = restorePayerBook(channelOf(), payer, voucher, 1_500n)
    assert.equal(promise(book, TERMS, payer).voucher, voucher)
    const wrong = { ...voucher, cumulativeUnits: 501n }
    assert.throws(() => restorePayerBook(channelOf(), payer, wrong, 0n), {
      code: 'VOUCHER_INVALID'
    })
    assert.throws(() => restorePayerBook(channelOf(), payee, voucher, 0n), {
      code: 'VOUCHER_INVALID'
    })
  })
})

describe('the payee', () => {
  const at = (bytes: number, height = 0n) => ({ bytes, height })

  it('serves the free bytes and one window, then wants a promise', () => {
    let book = openPayeeBook(channelOf())
    assert.ok(mayServe(book, TERMS, at(5_000)))
    assert.ok(!mayServe(book, TERMS, at(5_001)))
    book = served(book, 5_000)
    assert.ok(!mayServe(book, TERMS, at(1)))
    assert.equal(claimUnits(book, TERMS, 1_000), 1_000n)
    book = accept(book, voucherOf(1_000n))
    assert.ok(mayServe(book, TERMS, at(1_000)))
    assert.ok(!mayServe(book, TERMS, at(1_001)))
  })

  it('never serves what the deposit cannot pay, nor when the channel is about to expire', () => {
    const book = openPayeeBook(channelOf({ depositUnits: 300n }))
    assert.ok(mayServe(book, TERMS, at(1_300)))
    assert.ok(!mayServe(book, TERMS, at(1_301)))
    assert.ok(mayServe(refreshPayee(book, channelOf()), TERMS, at(1_301)))
    assert.ok(mayServe(book, TERMS, at(1, 999n)))
    assert.ok(!mayServe(book, TERMS, at(1, 1_000n)))
  })

  it('takes the greatest voucher and is not moved by older or repeated ones', () => {
    const [small, great] = [voucherOf(10n), voucherOf(700n)]
    const book = accept(accept(openPayeeBook(channelOf()), small), great)
    assert.equal(accept(book, small), book)
    assert.equal(accept(book, great), book)
    assert.equal(book.voucher?.cumulativeUnits, 700n)
  })

  const foreign: [string, SignedVoucher][] = [
    ['another channel', voucherOf(10n, channelOf({ channelId: sha256(utf8('other')) }))],
    ['another chain', voucherOf(10n, channelOf({ network: { ...network, chainId: 'test-2' } }))],
    [
      'another genesis',
      voucherOf(10n, channelOf({ network: { ...network, genesisHash: new Uint8Array(32) } }))
    ],
    ['another payer', voucherOf(10n, channelOf(), payee)],
    ['another amount', { ...voucherOf(10n), cumulativeUnits: 11n }],
    ['more than the deposit', voucherOf(100_001n)]
  ]
  for (const [what, voucher] of foreign) {
    it(`refuses a voucher of ${what}`, () => {
      const book = openPayeeBook(channelOf())
      assert.throws(() => accept(book, voucher), { code: 'VOUCHER_INVALID' })
    })
  }

  it('redeems at the threshold, and everything before the expiry', () => {
    const policy = { thresholdUnits: 500n, marginHeights: 20n }
    const empty = openPayeeBook(channelOf())
    assert.equal(redeemDue(empty, policy, 999n), undefined)
    const book = accept(empty, voucherOf(499n))
    assert.equal(redeemDue(book, policy, 979n), undefined)
    assert.equal(redeemDue(book, policy, 980n), book.voucher)
    const more = accept(book, voucherOf(500n))
    assert.equal(redeemDue(more, policy, 0n), more.voucher)
    assert.equal(
      redeemDue(refreshPayee(more, channelOf({ redeemedUnits: 500n })), policy, 990n),
      undefined
    )
  })
})

/** Both books, a line that loses, repeats and reorders, and the ledger. */
class Trade {
  readonly random: TestRandom
  payer: PayerBook
  payee: PayeeBook
  /** Vouchers under way. */
  readonly line: SignedVoucher[] = []
  redeemedUnits = 0n

  constructor(random: TestRandom, channel: ChannelFacts) {
    this.random = random
    this.payer = openPayerBook(channel)
    this.payee = openPayeeBook(channel)
  }

  /** A request that is served, and comes, breaks off, or is cancelled by the payer. */
  request(): void {
    const bytes = 1 + this.random.int(TERMS.windowBytes / 2)
    if (!mayServe(this.payee, TERMS, { bytes, height: 0n })) {
      this.pay(claimUnits(this.payee, TERMS, bytes))
      return
    }
    const sent = this.random.int(6) === 0 ? this.random.int(bytes) : bytes
    this.payee = served(this.payee, sent)
    // cut short by the payer: it counts all it asked for
    this.payer = received(this.payer, bytes)
    if (this.random.int(4) === 0) this.pay()
  }

  pay(claim?: bigint): void {
    this.payer = promise(this.payer, TERMS, payer, claim)
    const { voucher } = this.payer
    if (voucher !== undefined) this.line.push(voucher)
  }

  /** Any voucher under way, which may come again later. */
  deliver(): void {
    if (this.line.length === 0) return
    const at = this.random.int(this.line.length)
    const voucher = this.line[at]!
    const fate = this.random.int(4)
    if (fate !== 0) this.payee = accept(this.payee, voucher)
    if (fate !== 1) this.line.splice(at, 1)
  }

  redeem(): void {
    const policy = { thresholdUnits: 2_000n, marginHeights: 0n }
    const voucher = redeemDue(this.payee, policy, 0n)
    if (voucher === undefined) return
    assert.ok(voucher.cumulativeUnits > this.redeemedUnits, 'not twice')
    assert.ok(voucher.cumulativeUnits <= this.payee.channel.depositUnits)
    this.redeemedUnits = voucher.cumulativeUnits
    const channel = { ...this.payee.channel, redeemedUnits: this.redeemedUnits }
    this.payee = refreshPayee(this.payee, channel)
  }

  check(): void {
    const window = BigInt(TERMS.windowBytes)
    const heldUnits = this.payee.voucher?.cumulativeUnits ?? 0n
    const { servedBytes, channel } = this.payee
    const { receivedBytes } = this.payer
    const promisedUnits = this.payer.voucher?.cumulativeUnits ?? 0n
    assert.ok(retrievalUnits(TERMS, servedBytes - window) <= heldUnits, 'payee: one window')
    assert.ok(promisedUnits <= retrievalUnits(TERMS, receivedBytes + window), 'payer: one window')
    assert.ok(heldUnits <= promisedUnits && promisedUnits <= channel.depositUnits, 'backed')
    assert.ok(this.redeemedUnits <= heldUnits)
  }
}

describe('a channel between both', () => {
  itRandom('risks one window at most, over a line that loses, repeats and reorders', random => {
    for (let round = 0; round < 6; round++) {
      const trade = new Trade(random, channelOf({ depositUnits: BigInt(random.int(300_000)) }))
      for (let i = 0; i < 300; i++) {
        const roll = random.int(10)
        if (roll < 5) trade.request()
        else if (roll < 9) trade.deliver()
        else trade.redeem()
        trade.check()
      }
    }
  })

  itRandom('goes on after any loss: the next promise stands for all lost ones', random => {
    const trade = new Trade(random, channelOf({ depositUnits: BigInt(10 * MIB) }))
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 10; i++) {
        trade.request()
        trade.line.length = 0
      }
      const claim = claimUnits(trade.payee, TERMS, TERMS.windowBytes)
      trade.pay(claim)
      trade.payee = accept(trade.payee, trade.line.at(-1)!)
      assert.ok(mayServe(trade.payee, TERMS, { bytes: TERMS.windowBytes, height: 0n }))
    }
  })
})
