/** What a provider signs: its ask and nothing more. */
import assert from 'node:assert/strict'
import type { DealTerms } from '../../src/ledger/index.ts'
import { assertTermsFit, type TermsContext } from '../../src/market/index.ts'
import { askOf, HEIGHT, network, node, wallet } from './support.ts'

describe('terms', () => {
  const context: TermsContext = {
    network,
    account: wallet.publicKey,
    ask: askOf(),
    height: HEIGHT,
    period: 10n,
    balanceUnits: 1_000n
  }
  const terms: DealTerms = {
    chainId: network.chainId,
    client: node.publicKey,
    provider: wallet.publicKey,
    priceUnitsPerGiBPeriod: context.ask.priceUnitsPerGiBPeriod,
    escrowUnits: 5_000n,
    collateralUnits: context.ask.collateralUnits,
    startHeightMax: HEIGHT + 120n,
    endPeriod: 110n,
    openNonce: 1n
  }

  it('fit when they are the ask', () => {
    assertTermsFit(terms, context)
    const better: Partial<DealTerms>[] = [
      { priceUnitsPerGiBPeriod: terms.priceUnitsPerGiBPeriod + 1n },
      { collateralUnits: 0n },
      { endPeriod: 10n },
      { escrowUnits: 0n },
      { startHeightMax: HEIGHT + 1_000n }
    ]
    for (const changes of better) assertTermsFit({ ...terms, ...changes }, context)
    assertTermsFit(terms, { ...context, balanceUnits: terms.collateralUnits })
  })

  it('are refused for each term that does not, with its reason', () => {
    const refused: [changes: Partial<DealTerms>, message: RegExp][] = [
      [{ provider: node.publicKey }, /another provider/],
      [{ priceUnitsPerGiBPeriod: terms.priceUnitsPerGiBPeriod - 1n }, /price/],
      [{ priceUnitsPerGiBPeriod: 0n }, /price/],
      [{ collateralUnits: terms.collateralUnits + 1n }, /collateral is above/],
      [{ endPeriod: 9n }, /end before/],
      [{ endPeriod: 111n }, /longer/],
      [{ endPeriod: 2n ** 64n - 1n }, /longer/],
      [{ startHeightMax: HEIGHT + 1_001n }, /stays open/],
      [{ startHeightMax: 2n ** 64n - 1n }, /stays open/]
    ]
    for (const [changes, message] of refused) {
      assert.throws(() => assertTermsFit({ ...terms, ...changes }, context), {
        code: 'TERMS_REFUSED',
        message
      })
    }
    const long = { ...context, ask: askOf({ dealPeriodsMin: 20 }) }
    assertTermsFit({ ...terms, endPeriod: 29n }, long)
    assert.throws(() => assertTermsFit({ ...terms, endPeriod: 28n }, long), { message: /shorter/ })
    const poor = { ...context, balanceUnits: terms.collateralUnits - 1n }
    assert.throws(() => assertTermsFit(terms, poor), { message: /no collateral left/ })
  })

  it('are refused from another network, and after the ask', () => {
    const elsewhere = { ...terms, chainId: 'test-2' }
    assert.throws(() => assertTermsFit(elsewhere, context), { code: 'WRONG_NETWORK' })
    const late = { ...context, height: context.ask.validUntilHeight + 1n }
    assert.throws(() => assertTermsFit(terms, late), { code: 'ASK_EXPIRED' })
  })
})
