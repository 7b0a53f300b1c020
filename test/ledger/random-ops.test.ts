import assert from 'node:assert/strict'
import process from 'node:process'
import { toHex } from '../../src/base/bytes.ts'
import { totalsOf } from '../../src/ledger/machine/money.ts'
import { itRandom, seededRandom } from '../proofs/random.ts'
import { Play } from './play.ts'

/** Raise it for a long run: HOLDFAST_OPS=1000000. */
const OPERATIONS = Number(process.env['HOLDFAST_OPS'] ?? 3_000)
const CHECK_EVERY = 300
const END_EVERY = 500

/** What a run of some thousand operations has to have met, or it shows little. */
const SEEN = [
  'dealOpen ok',
  'dealRevise ok',
  'dealRevise InsufficientEscrow',
  'dealRevise RevisionStale',
  'dealExtend ok',
  'dealTerminate ok',
  'dealTerminate NotAParty',
  'dealFail ok',
  'dealFail DealNotAbandoned',
  'dealClose ok',
  'dealClose DealAbandoned',
  'dealClose DealNotOver',
  'providerMaintenance ok',
  'providerMaintenance MaintenanceUsedUp',
  'channel ok',
  'channel VoucherStale',
  'channel VoucherUnbacked',
  'channel SignatureInvalid',
  'channel ChannelExpired'
]

describe('random operations', function () {
  this.timeout(60_000 + 5 * OPERATIONS)

  itRandom('conserve money, pay exactly what was proven, and never get stuck', async random => {
    const play = new Play(random)
    for (let i = 0; i < OPERATIONS; i++) {
      await play.step()
      if (i % CHECK_EVERY === 0) play.check()
      if (i % END_EVERY === 0) play.endAll()
    }
    play.check()
    play.endAll()
    const missing = SEEN.filter(key => !play.outcomes.has(key))
    assert.deepEqual(missing, [], 'everything happened')
    assert.ok(play.proofs > 20, 'proofs happened')
    assert.ok(totalsOf(play.chain.state).burntUnits > 0n, 'collateral was burnt')
  })

  it('come to the same state when run again', async () => {
    const run = async () => {
      const play = new Play(seededRandom(7))
      for (let i = 0; i < 400; i++) await play.step()
      const records = play.chain.state
        .changes()
        .map(({ record, value }) =>
          value === undefined ? toHex(record) : `${toHex(record)}=${toHex(value)}`
        )
      return records.join()
    }
    assert.equal(await run(), await run())
  })
})
