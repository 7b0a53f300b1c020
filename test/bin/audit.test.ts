/**
 * holdfast audit, repair-map, evidence: what they refuse before they ask, how they end, and evidence without a daemon.
 */
import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CommanderError } from 'commander'
import { UsageError } from '../../bin/arguments.ts'
import { createProgram } from '../../bin/program.ts'
import { toHex } from '../../src/base/bytes.ts'
import type { EvidenceReport } from '../../src/evidence/index.ts'
import { dealOf, type EvidenceWorld, makeEvidenceWorld } from '../evidence/support.ts'
import { type Served, serveMemory } from '../node/control/served.ts'
import { suiteRandom } from '../storage/random.ts'
import { makeTempFolder } from '../storage/temp-folder.ts'
import { runCli } from './run-cli.ts'

const DEAL = 'ab'.repeat(32)

describe('commands of auditors', function () {
  this.timeout(60_000)
  const random = suiteRandom()
  let served: Served
  let folder: string
  let world: EvidenceWorld
  before(async () => {
    served = await serveMemory()
    folder = await makeTempFolder()
    world = await makeEvidenceWorld(random)
  })
  after(async () => {
    await served.close()
    await world.close()
    await rm(folder, { recursive: true })
  })

  it('check their arguments before anything is asked', async () => {
    const cases = [
      ['audit'],
      ['audit', '/a/path'],
      ['audit', DEAL.slice(1)],
      ['audit', 'bafkqaaa'],
      ['repair-map', 'show', DEAL],
      ['repair-map', 'list', 'bafkqaaa'],
      ['repair-map', 'publish', 'relative'],
      ['evidence', 'export', '--deal', DEAL],
      ['evidence', 'export', '--deal', 'x', '-o', 'f'],
      ['evidence', 'verify'],
      ['evidence', 'verify', 'f', '--genesis', 'abc'],
      ['evidence', 'verify', 'f', '--checkpoint', `x:${DEAL}`]
    ]
    for (const args of cases) {
      const parsing = createProgram(() => assert.fail(`${args.join(' ')} was run`))
      await assert.rejects(
        parsing.parseAsync(args, { from: 'user' }),
        error => error instanceof UsageError || error instanceof CommanderError,
        args.join(' ')
      )
    }
  })

  it('audit ends with 1 when a provider fails, and says which', async () => {
    const row = { provider: '12D3KooWx', deals: [DEAL], pieces: 1, leaves: 3 }
    const result = {
      ...{ kind: 'deal', id: DEAL, height: 7, ok: true, loss: 0.01, confidence: 0.99995 },
      ...{ providersToLose: 1, leavesPerProvider: 917, leaves: 3, transferredBytes: 5_000 },
      ...{ elapsedMs: 12, seed: DEAL, providers: [{ ...row, ok: true }] }
    }
    const { api } = served.memory
    api.audit = async () => result as never
    const good = await runCli(['audit', DEAL], { home: served.home })
    assert.equal(good.code, 0, good.stderr)
    assert.match(good.stdout.toString(), /1 % loss excluded with 99\.99 %/)
    const providers = [{ ...row, ok: false, reason: 'cannot reach it' }]
    api.audit = async () => ({ ...result, ok: false, providers }) as never
    const bad = await runCli(['audit', DEAL, '--json'], { home: served.home })
    assert.equal(bad.code, 1)
    assert.deepEqual((bad.json() as { providers: unknown }).providers, providers)
    const text = await runCli(['audit', DEAL], { home: served.home })
    assert.match(text.stdout.toString(), /FAILS .*12D3KooWx .*cannot reach it/)
  })

  it('evidence is written, and verified without a daemon or a home', async () => {
    const bundle = await world.bundleOf({ deal: dealOf(world) })
    served.memory.api.exportEvidence = async subject => {
      assert.deepEqual(subject, { deal: dealOf(world) })
      const base64 = Buffer.from(bundle).toString('base64')
      return { bundle: base64, bytes: bundle.length, height: 3, genesisHash: DEAL, deals: 1 }
    }
    const file = join(folder, 'deal.evidence')
    const made = await runCli(
      ['evidence', 'export', '--deal', dealOf(world), '-o', file, '--json'],
      {
        home: served.home
      }
    )
    assert.equal(made.code, 0, made.stderr)
    assert.ok((await readFile(file)).equals(bundle))
    const nowhere = { home: join(folder, 'nohome') }
    const genesis = toHex(world.genesisHash)
    // blocks of the test carry times of their own
    const verify = ['evidence', 'verify', file, '--genesis', genesis, '--json']
    const shown = await runCli(verify, nowhere)
    assert.equal(shown.code, 0, shown.stderr)
    const report = shown.json() as EvidenceReport
    assert.equal(report.deals[0]?.id, dealOf(world))
    assert.equal(typeof report.deals[0]?.paidUnits, 'string', 'money is text')
    assert.match(shown.stderr, /start of trust is old/)
    const missing = await runCli(['evidence', 'verify', file], nowhere)
    assert.deepEqual([missing.code, missing.stdout.length], [1, 0])
    assert.match(missing.stderr, /--genesis HASH/)
    const bad = bundle.slice()
    bad[100]! ^= 1
    await writeFile(file, bad)
    const refused = await runCli(verify, nowhere)
    assert.deepEqual([refused.code, refused.stdout.length], [1, 0])
    const noFile = await runCli(
      ['evidence', 'verify', join(folder, 'none'), '--genesis', genesis],
      nowhere
    )
    assert.match(noFile.stderr, /cannot read/)
    const neither = await runCli(['evidence', 'export', '-o', file], { home: served.home })
    assert.deepEqual([neither.code, neither.stdout.length], [1, 0])
    assert.match(neither.stderr, /--deal ID or --object CID/)
  })
})
