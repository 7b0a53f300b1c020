/** Every rule is needed: without it the checks fail. A mutant that survives says that a check has stopped seeing. */
import assert from 'node:assert/strict'
import { ZERO_HASH } from '../../../src/base/hash.ts'
import { signVote } from '../../../src/ledger/certificate.ts'
import { keyOf } from '../support.ts'
import * as real from './modules.ts'
import { applyMutant, type Modules, type Mutant, mutants, type Shows } from './mutants.ts'
import { runSchedule } from './schedule.ts'
import { finalize, network, nullify } from './support.ts'

const SCHEDULES_MAX = 3_000

const SIGNS: Record<Exclude<Shows, 'own check'>, RegExp> = {
  fork: /^(fork|twice: (decision|notarization|nullification))/,
  twice: /^twice: v/,
  stuck: /^stuck/,
  accused: /accused$/,
  blamed: /blamed/,
  memory: /^memory/
}

/** True where the rule stands. */
const OWN_CHECKS: Record<string, (modules: Modules) => boolean> = {
  'timers that do not grow': ({ leaderTimeoutMs }) => {
    const timeouts = { leaderMs: 300, leaderMsMax: 60_000, repeatMs: 1_000 }
    return leaderTimeoutMs(timeouts, 9n) > leaderTimeoutMs(timeouts, 3n)
  },
  'nullifications that do not sign their view': ({ realVerifier, voteOf }) => {
    const key = keyOf('validator/0')
    const vote = { kind: nullify, height: 5n, view: 1n, blockHash: ZERO_HASH }
    const signature = signVote(key, voteOf(network, vote))
    const replayed = { ...vote, view: 2n, validator: 0, signature }
    return !realVerifier(network).vote(key.publicKey, replayed)
  },
  'a signer that forgets that nullify and finalize exclude each other': ({ createSigner }) => {
    const signer = createSigner({ key: keyOf('validator/0'), network, records: [] })
    const blockHash = new Uint8Array(32).fill(1)
    signer.authorizeVote({ kind: finalize, height: 5n, view: 1n, blockHash })
    const other = { kind: nullify, height: 5n, view: 1n, blockHash: ZERO_HASH }
    return !signer.authorizeVote(other).ok
  }
}

/** The first seed that shows the damage. */
function seedThatShows({ shows, powers, seed = 0 }: Mutant, modules: Modules): number | undefined {
  assert.ok(shows !== 'own check')
  for (let at = seed; at < seed + SCHEDULES_MAX; at++) {
    const { problems } = runSchedule(at, modules, powers)
    if (problems.some(problem => SIGNS[shows].test(problem))) return at
  }
  return undefined
}

describe('consensus mutants', () => {
  for (const mutant of mutants) {
    it(`catches: ${mutant.name}`, async () => {
      const modules = await applyMutant(mutant)
      if (mutant.shows === 'own check') {
        const stands = OWN_CHECKS[mutant.name]!
        assert.ok(stands(real) && !stands(modules))
        return
      }
      const seed = seedThatShows(mutant, modules)
      assert.ok(seed !== undefined, `no ${mutant.shows} in ${SCHEDULES_MAX} schedules`)
      assert.deepEqual(runSchedule(seed, real, mutant.powers).problems, [], 'the rule prevents it')
    })
  }
})
