import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommanderError } from 'commander'
import { UsageError } from '../../bin/arguments.ts'
import { completionScript } from '../../bin/commands/completion.ts'
import { createProgram, everyCommand } from '../../bin/program.ts'
import { addressOf } from '../../src/base/address.ts'
import { type Served, serveMemory } from '../node/control/served.ts'
import { runCli } from './run-cli.ts'

const program = createProgram(() => assert.fail('nothing is run here'))
const STACK_LINE = /^\s+at .*:\d+:\d+\)?$/m

describe('holdfast command', function () {
  this.timeout(30_000)
  let served: Served
  let folder: string
  before(async () => {
    served = await serveMemory()
    folder = await mkdtemp(join(tmpdir(), 'holdfast-cli-'))
  })
  after(async () => {
    await served.close()
    await rm(folder, { recursive: true })
  })

  const run = (...args: string[]): ReturnType<typeof runCli> => runCli(args, { home: served.home })

  it('refuses bad usage with exit 2 before it contacts the daemon', async () => {
    const { calls } = served.memory
    calls.length = 0
    const results = await Promise.all([
      run('frobnicate'),
      run('put', '/etc/hostname', '/x', '--profile', '9/4'),
      run('wallet', 'send', '12D3KooWxyz', '-5', '--json')
    ])
    for (const { code, stdout, stderr } of results) {
      assert.equal(code, 2, stderr)
      assert.equal(stdout.length, 0)
      assert.ok(stderr.trim().length > 0 && !STACK_LINE.test(stderr), stderr)
    }
    const last = results[2].stderr.trim().split('\n').at(-1)!
    assert.equal((JSON.parse(last) as { error: { code: string } }).error.code, 'INVALID_ARGUMENT')
    assert.deepEqual(calls, [])
  })

  it('checks arguments before anything is opened', async () => {
    const to = addressOf(new Uint8Array(32))
    const cases = [
      ['put'],
      ['put', 'file'],
      ['get', '/x'],
      ['get', '/x', '-o', '-', '--range', '9-3'],
      ['get', '/x', '-o', '-', '--range', '-5-3'],
      ['ls', 'relative'],
      ['rm', '/a/../b'],
      ['wallet', 'send', 'nobody', '5'],
      ['wallet', 'send', to, '-5'],
      ['wallet', 'send', to, '0'],
      ['wallet', 'send', to, '1.0000000001'],
      ['ledger', 'block', 'x'],
      ['provider', 'ask', '--price', '-1'],
      ['devnet', '--dir', folder, '--period', 'fast'],
      ['devnet', '--dir', folder, '--validators', '0'],
      ['devnet'],
      ['start', '--set', 'novalue'],
      ['init', '--network-of', 'a', '--genesis', 'b'],
      ['completion', 'tcsh'],
      ['wallet', 'frobnicate']
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

  it('stores, lists, reads and removes through the daemon', async () => {
    const bytes = randomBytes(300_000)
    const file = join(folder, 'in')
    await writeFile(file, bytes)
    const put = await run('put', file, '/t/a', '--profile', '4/10', '--json')
    assert.equal(put.code, 0, put.stderr)
    assert.deepEqual(put.json(), {
      path: '/t/a',
      bytes: 300_000,
      manifest: 'bafy',
      profile: '4/10',
      segments: 1,
      pieces: []
    })
    const piped = await runCli(['put', '-', '/t/b'], { home: served.home, input: bytes })
    assert.equal(piped.code, 0, piped.stderr)
    const ls = await run('ls', '/t', '--json')
    assert.deepEqual(ls.json(), [
      { path: '/t/a', bytes: 300_000 },
      { path: '/t/b', bytes: 300_000 }
    ])
    const out = join(folder, 'out')
    const get = await run('get', '/t/b', '-o', out, '--json')
    assert.equal((get.json() as { bytes: number }).bytes, 300_000)
    assert.ok((await readFile(out)).equals(bytes))
    const part = await run('get', '/t/a', '-o', '-', '--range', '1000-65999', '--json')
    assert.ok(part.stdout.equals(bytes.subarray(1000, 66_000)), 'bytes only')
    assert.ok((await run('cat', '/t/a')).stdout.equals(bytes))
    const balance = await run('wallet', 'balance', '--json')
    assert.deepEqual(balance.json(), {
      address: 'hf1x',
      available: '1000000000000000000',
      escrow: '0',
      collateral: '1'
    })
  })

  it('fails with exit 1 and a reason, and leaves nothing behind', async () => {
    const { memory } = served
    memory.objects.set('/broken', randomBytes(100_000))
    memory.objects.set('/taken', Buffer.from('x'))
    memory.failGetAfterBytes = 50_000
    const empty = join(folder, 'empty')
    await mkdir(empty)
    const [nothing, broken, taken, unreadable, nobody, bug] = await Promise.all([
      run('get', '/no/such', '-o', join(empty, 'a')),
      run('get', '/broken', '-o', join(empty, 'b'), '--json'),
      run('put', '/etc/hostname', '/taken'),
      run('put', join(folder, 'nope'), '/n'),
      runCli(['ls', '/'], { home: join(folder, 'nohome') }),
      run('peers')
    ])
    memory.failGetAfterBytes = undefined
    for (const result of [nothing, broken, taken, unreadable, nobody, bug]) {
      assert.equal(result.code, 1, result.stderr)
      assert.equal(result.stdout.length, 0)
      assert.ok(!STACK_LINE.test(result.stderr), result.stderr)
    }
    assert.match(nothing.stderr, /error: nothing at \/no\/such/)
    assert.match(broken.stderr, /"code":"UNRECOVERABLE"/)
    assert.match(taken.stderr, /hint: use --force/)
    assert.match(unreadable.stderr, /no such file/)
    assert.match(nobody.stderr, /no daemon is running[\s\S]*holdfast init/)
    assert.deepEqual(await readdir(empty), [])
  })

  it('ends with 130 on Ctrl-C in the middle of a put, and stores nothing', async () => {
    const { memory } = served
    const before = memory.putBytesSeen()
    const result = await runCli(['put', '/dev/zero', '/endless'], {
      home: served.home,
      during: async kill => {
        while (memory.putBytesSeen() === before)
          await new Promise(resolve => setTimeout(resolve, 5))
        kill('SIGINT')
      }
    })
    assert.equal(result.code, 130, result.stderr)
    assert.match(result.stderr, /interrupted/)
    assert.equal(memory.objects.has('/endless'), false)
  })

  it('has help with examples for every command', async () => {
    for (const command of everyCommand(program)) {
      if (command.commands.length > 0 && command !== program) continue
      let help = ''
      command.configureOutput({
        writeOut: text => {
          help += text
        }
      })
      command.outputHelp()
      assert.match(help, /Usage: holdfast/, command.name())
      assert.match(help, /Examples:\n {2}\$ .*holdfast/, command.name())
    }
    const { code, stdout } = await run('put', '--help')
    assert.equal(code, 0)
    assert.match(stdout.toString(), /--profile <k\/n>[\s\S]*--home <dir>[\s\S]*Examples:/)
  })

  it('completes commands and flags in bash', () => {
    const script = completionScript(program, 'bash')
    const words = (...typed: string[]): string[] => {
      const list = typed.map(word => `'${word}'`).join(' ')
      const { stdout, stderr } = spawnSync('bash', [
        '-c',
        `${script}\nCOMP_WORDS=(${list}); COMP_CWORD=${typed.length - 1}; _holdfast; echo "\${COMPREPLY[@]}"`
      ])
      assert.equal(stderr.toString(), '')
      return stdout.toString().trim().split(' ')
    }
    assert.deepEqual(words('holdfast', 'wal'), ['wallet'])
    assert.ok(words('holdfast', '--json', 'wallet', '').includes('send'))
    assert.deepEqual(words('holdfast', 'put', '--pro'), ['--profile'])
    assert.ok(!words('holdfast', 'start', '--').includes('--stop-with-parent'))
  })

  it('writes completion for zsh and fish', () => {
    assert.match(completionScript(program, 'zsh'), /^#compdef holdfast\n/)
    const fish = completionScript(program, 'fish')
    assert.match(fish, /-f -a wallet -d 'money and the seed phrase'/)
    assert.match(fish, /__fish_seen_subcommand_from put' -l profile/)
  })
})
