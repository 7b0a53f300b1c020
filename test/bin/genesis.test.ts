import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseGenesis } from '../../src/ledger/genesis-json.ts'
import { type CliResult, runCli } from './run-cli.ts'

describe('holdfast genesis', function () {
  this.timeout(120_000)
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-genesis-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const run = (home: string, ...args: string[]): Promise<CliResult> =>
    runCli([...args, '--json'], { home: join(folder, home) })

  async function member(name: string): Promise<string> {
    const done = await run(name, 'genesis', 'member')
    assert.equal(done.code, 0, done.stderr)
    const file = join(folder, `${name}.json`)
    await writeFile(file, done.stdout)
    return file
  }

  it('makes one network from the public keys of four operators', async () => {
    const names = ['alice', 'bob', 'carol', 'dave']
    const files = await Promise.all(names.map(member))
    const out = join(folder, 'genesis.json')
    const { address } = JSON.parse(await readFile(files[0]!, 'utf8')) as { address: string }
    const made = await run('x', 'genesis', 'create', ...files, '--out', out, '--block', '2s')
    assert.equal(made.code, 0, made.stderr)
    const genesis = parseGenesis(JSON.parse(await readFile(out, 'utf8')))
    assert.equal(genesis.validators.length, 4)
    assert.equal(genesis.params.blockIntervalMs, 2_000)
    assert.equal((made.json() as { validators: number }).validators, 4)

    // the keys that were printed are those of the node
    const init = await run('alice', 'init', '--genesis', out, '--role', 'validator')
    assert.equal(init.code, 0, init.stderr)
    assert.equal((init.json() as { address: string }).address, address)
    const seed = await stat(join(folder, 'alice', 'keys', 'seed'))
    assert.equal(seed.mode & 0o777, 0o600)
  })

  it('prints the same keys again, and never touches a node', async () => {
    const first = await readFile(await member('erin'), 'utf8')
    assert.equal(await readFile(await member('erin'), 'utf8'), first)
    const refused = await run('alice', 'genesis', 'member')
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /ALREADY_EXISTS/)
  })

  it('says that fewer than four tolerate nothing', async () => {
    const file = await member('frank')
    const made = await run('x', 'genesis', 'create', file, '--out', join(folder, 'one.json'))
    assert.equal(made.code, 0)
    assert.match(made.stderr, /no Byzantine fault/)
  })

  it('refuses what is no member, twice the same, and bonds of a part of a token', async () => {
    const file = await member('grace')
    const wrong = join(folder, 'wrong.json')
    await writeFile(wrong, '{"address":"hf1"}')
    const out = join(folder, 'never.json')
    const cases: [string[], RegExp][] = [
      [[wrong], /INVALID_ARGUMENT.*/],
      [[join(folder, 'missing.json')], /INVALID_ARGUMENT/],
      [[file, file], /CONFIG_INVALID.*twice/],
      [[file, '--bond', '1.5'], /INVALID_ARGUMENT.*whole tokens/],
      [[file, '--grant', 'nobody'], /INVALID_ARGUMENT/]
    ]
    for (const [args, expected] of cases) {
      const done = await run('x', 'genesis', 'create', ...args, '--out', out)
      assert.notEqual(done.code, 0)
      assert.match(done.stderr, expected)
    }
    await assert.rejects(stat(out))
  })
})
