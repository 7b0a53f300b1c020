/**
 * The simulator as part of the suite: many seeds of everything, the same seed twice, and every broken rule found. More
 * seeds: `npm run -s sim -- --seeds 2000`, or HOLDFAST_SIM_SEEDS=2000 here.
 */
import assert from 'node:assert/strict'
import process from 'node:process'
import { applyMutant, type Mutant, mutants } from '../ledger/consensus/mutants.ts'
import { problemsOf, runSeeds } from './run.ts'
import type { ByzantineKind } from './scenario.ts'
import { runSeed } from './simulation.ts'

const SEEDS = Number(process.env['HOLDFAST_SIM_SEEDS'] ?? 200)
/** Several times what it took when this was written. */
const HUNT_SEEDS_MAX = 300

/** Who shows a broken rule soonest. */
const HUNTERS: Readonly<Record<string, ByzantineKind>> = {
  'proposals need no justification': 'liar',
  'a view that takes too long stays open': 'liar',
  'a certificate needs no weight': 'spammer',
  'votes of another height count': 'spammer',
  'a second notarize in a view': 'twins'
}

/** Seeds until the mutant failed, and how. */
async function hunt(mutant: Mutant): Promise<{ seeds: number; problem: string } | undefined> {
  const modules = await applyMutant(mutant)
  const powers = mutant.powers ?? [1n, 1n, 1n, 1n]
  const kind = HUNTERS[mutant.name] ?? 'quitter'
  for (let seed = 1; seed <= HUNT_SEEDS_MAX; seed++) {
    const [problem] = problemsOf(await runSeed(seed, { modules, powers, hunt: kind }))
    if (problem !== undefined) return { seeds: seed, problem }
  }
  return undefined
}

describe('simulation', function () {
  this.timeout(600_000)

  it('has no fork, no standstill and no wrong accusation under any seed', async () => {
    const failures: string[] = []
    const onFailure = (seed: number, problems: readonly string[]): void => {
      failures.push(`npm run -s sim -- --seed ${seed} --trace: ${problems.join('; ')}`)
    }
    const summary = await runSeeds({ from: 1, seeds: SEEDS }, onFailure, () => performance.now())
    assert.deepEqual(failures, [])
    assert.ok(summary.byzantineCaught > 0, 'Byzantine validators are caught')
  })

  it('does the same again with the same seed, and something else with another', async () => {
    const traces = [7, 7, 8].map(async seed => (await runSeed(seed)).traceHash)
    const [first, again, other] = await Promise.all(traces)
    assert.equal(first, again)
    assert.notEqual(first, other)
  })

  it('goes on with any number of validators that a small network has', async () => {
    for (let count = 1; count <= 7; count++) {
      const powers = Array.from({ length: count }, () => 1n)
      const result = await runSeed(100 + count, { powers })
      assert.deepEqual(problemsOf(result), [], `${count} validators`)
      assert.ok(result.heights >= 2n)
    }
  })

  it('goes on while validators join, leave and change their weight', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const powers = [1n, 1n, 1n, 1n]
      const result = await runSeed(seed, { powers, changesSet: true })
      assert.deepEqual(problemsOf(result), [], `seed ${seed}`)
      assert.ok(result.sets > 1, `seed ${seed} has one set only`)
    }
  })

  const shown = mutants.filter(({ shows }) => shows !== 'own check' && shows !== 'memory')
  for (const mutant of shown) {
    it(`finds that ${mutant.name}`, async () => {
      assert.ok((await hunt(mutant)) !== undefined, `not within ${HUNT_SEEDS_MAX} seeds`)
    })
  }

  for (const kind of new Set<ByzantineKind>(['quitter', ...Object.values(HUNTERS)])) {
    it(`finds nothing in the real rules by the same hunt for ${kind}`, async () => {
      for (let seed = 1; seed <= 20; seed++) {
        const result = await runSeed(seed, { powers: [1n, 1n, 1n, 1n], hunt: kind })
        assert.deepEqual(problemsOf(result), [], `seed ${seed}`)
      }
    })
  }
})
