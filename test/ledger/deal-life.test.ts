import assert from 'node:assert/strict'
import { client, DealChain, PAY, PIECE, provider, stranger } from './deal-support.ts'

describe('dealExtend', () => {
  it('moves the end, adds escrow, and pays the longer deal', async () => {
    const chain = new DealChain()
    const id = chain.holding({ endPeriod: 3n, escrowUnits: 3n * PAY })
    await chain.through(1n, 2n, [1n, 2n])
    assert.equal(chain.extend(id, { endPeriod: 5n, escrowUnits: 2n * PAY }), 'ok')
    assert.equal(chain.record(id).endPeriod, 5n)
    await chain.through(3n, 7n, [3n, 4n, 5n])
    assert.equal(chain.about('dealClose', id), 'ok')
    assert.deepEqual(
      [chain.record(id).paidUnits, chain.account(client).escrowUnits],
      [5n * PAY, 0n]
    )
  })

  it('needs both signatures over this extension, posted in time, on this network', () => {
    const chain = new DealChain()
    const id = chain.holding()
    assert.equal(chain.extend(id, { signers: [client, client] }), 'SignatureInvalid')
    assert.equal(chain.extend(id, { signers: [provider, provider] }), 'SignatureInvalid')
    assert.equal(chain.extend(id, { chainId: 'other' }), 'WrongNetwork')
    assert.equal(chain.extend(id, { acceptHeightMax: 0n }), 'TermsExpired')
    assert.equal(chain.extend(id, { dealId: new Uint8Array(32), endPeriod: 20n }), 'DealUnknown')
    assert.equal(chain.extend(id, { endPeriod: 41n }), 'TermsTooLong')
    assert.equal(chain.extend(id, { endPeriod: 10n }), 'DealOver')
    assert.equal(chain.extend(id, { escrowUnits: 10n ** 10n }), 'InsufficientFunds')
    assert.equal(chain.extend(id, { endPeriod: 40n }), 'ok')
    assert.equal(chain.extend(id, { endPeriod: 40n }), 'DealOver', 'a replay')
    chain.toPeriod(39n)
    assert.equal(chain.extend(id, { endPeriod: 79n }), 'ok')
    chain.toPeriod(79n, 0n)
    assert.equal(chain.extend(id, { endPeriod: 80n }), 'DealOver')
  })

  it('is refused unless the escrow covers every period left, to the unit', () => {
    const chain = new DealChain()
    const id = chain.holding({ endPeriod: 4n, escrowUnits: 4n * PAY })
    const extend = (escrowUnits: bigint) => chain.extend(id, { endPeriod: 6n, escrowUnits })
    assert.equal(extend(2n * PAY - 1n), 'InsufficientEscrow')
    assert.equal(chain.record(id).escrowUnits, 4n * PAY)
    assert.equal(extend(2n * PAY), 'ok')
  })

  it('is not for a deal under notice: an old signature cannot bring it back', () => {
    const chain = new DealChain()
    const id = chain.holding({ endPeriod: 20n })
    assert.equal(chain.extend(id, { endPeriod: 25n }), 'ok')
    assert.equal(chain.about('dealTerminate', id, client), 'ok')
    assert.equal(chain.extend(id, { endPeriod: 25n }), 'DealEnding')
  })
})

describe('dealTerminate', () => {
  it('lets the client leave after the notice, which is paid if proven', async () => {
    const chain = new DealChain()
    const id = chain.holding({ endPeriod: 30n })
    await chain.through(1n, 2n, [1n, 2n])
    const before = chain.account(provider)
    assert.equal(chain.about('dealTerminate', id, stranger), 'NotAParty')
    assert.equal(chain.about('dealTerminate', id, client), 'ok')
    assert.deepEqual([chain.view(id).endPeriod, chain.view(id).noticeBy], [4n, 'client'])
    assert.equal(chain.about('dealTerminate', id, client), 'DealEnding')
    assert.equal(chain.about('dealTerminate', id, provider), 'DealEnding')
    await chain.through(3n, 5n, [4n])
    assert.equal(chain.about('dealClose', id), 'DealNotOver')
    chain.toPeriod(6n)
    assert.equal(chain.about('dealClose', id), 'ok')
    assert.equal(chain.record(id).paidUnits, 3n * PAY)
    assert.equal(chain.account(client).escrowUnits, 0n)
    assert.equal(chain.account(provider).collateralUnits, 0n)
    assert.ok(chain.account(provider).balanceUnits > before.balanceUnits + 2n * PAY)
  })

  it('holds a provider to its notice and gives the collateral back after it', async () => {
    const chain = new DealChain()
    const id = chain.holding({ endPeriod: 30n })
    await chain.through(1n, 2n, [1n, 2n])
    assert.equal(chain.about('dealTerminate', id, provider), 'ok')
    assert.deepEqual([chain.view(id).endPeriod, chain.view(id).noticeBy], [9n, 'provider'])
    await chain.through(3n, 11n, [3n, 6n, 8n])
    const before = chain.account(provider).balanceUnits
    assert.equal(chain.about('dealClose', id), 'ok')
    assert.ok(chain.account(provider).balanceUnits >= before + 500n)
    assert.equal(chain.record(id).provenPeriods, 5n)
  })

  it('lets the client shorten a provider’s notice', () => {
    const chain = new DealChain()
    const id = chain.holding({ endPeriod: 30n })
    assert.equal(chain.about('dealTerminate', id, provider), 'ok')
    assert.equal(chain.about('dealTerminate', id, client), 'ok')
    assert.deepEqual([chain.view(id).endPeriod, chain.view(id).noticeBy], [2n, 'client'])
  })

  it('never makes a deal longer', () => {
    const chain = new DealChain()
    const id = chain.holding({ endPeriod: 2n })
    assert.equal(chain.about('dealTerminate', id, client), 'DealEnding')
    const next = chain.holding({ endPeriod: 3n, openNonce: 9n })
    assert.equal(chain.about('dealTerminate', next, provider), 'DealEnding')
    assert.equal(chain.about('dealTerminate', next, client), 'ok')
  })

  it('leaves the escrow for a revision that was signed before', () => {
    const chain = new DealChain()
    const id = chain.holding({ endPeriod: 10n, escrowUnits: 10n * 2n * PAY })
    assert.equal(chain.about('dealTerminate', id, client), 'ok')
    assert.equal(chain.hold(client, provider, id, 2n, [PIECE, PIECE]), 'ok')
    chain.toPeriod(2n, 0n)
    assert.equal(chain.hold(client, provider, id, 3n, [PIECE]), 'DealOver')
  })
})
