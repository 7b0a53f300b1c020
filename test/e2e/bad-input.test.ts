/**
 * What people and strangers do wrong, against live daemons: each gets a message, a code and an exit status, and nothing
 * that was stored is lost by it. Two providers of 64 MiB, profile 1/2.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { MIB } from '../../src/base/limits.ts'
import { formatTokens } from '../../src/base/money.ts'
import type { Balance, ListEntry } from '../../src/node/control/types.ts'
import { homePaths } from '../../src/node/home-files.ts'
import { failureOf, Network, PROGRAM, until } from './network.ts'
import { seededBytes, testSeed } from './seed.ts'
import { startFails } from './start-fails.ts'
import { fromStrangers } from './strangers.ts'

const QUOTA_BYTES: number = 64 * MIB

describe('bad input', function () {
  this.timeout(240_000)
  const seed = testSeed()
  const kept = seededBytes(seed, 300_000)
  let net: Network
  before(async () => {
    net = await Network.start({
      providers: 2,
      period: '3s',
      env: { HOLDFAST_CLIENT_PROFILE: '1/2', HOLDFAST_QUOTA_BYTES: `${QUOTA_BYTES}` }
    })
  })
  after(() => net?.dispose())

  /** The one object that is stored is there, whole, and the only one. */
  async function assertNothingLost(): Promise<void> {
    const list = await net.result<ListEntry[]>(['ls', '-r'])
    assert.deepEqual(
      list.map(({ path }) => path),
      ['/kept']
    )
    const read = await net.run(['get', '/kept', '-o', '-'])
    assert.ok(read.code === 0 && read.stdout.equals(kept), read.stderr)
  }

  const file = async (name: string, bytes: Uint8Array): Promise<string> => {
    await writeFile(net.file(name), bytes)
    return net.file(name)
  }

  it(`says what is missing when the money is gone (seed ${seed})`, async () => {
    const friend = net.node('provider-1')
    const [{ address: mine }, { address: theirs }] = await Promise.all([
      net.client.api.walletAddress(),
      friend.api.walletAddress()
    ])
    const { available } = await net.client.api.walletBalance()
    const tokens = formatTokens(available - 1_000_000n)
    await net.result(['wallet', 'send', theirs, tokens])
    const source = await file('small', kept)
    const error = await net.failure('INSUFFICIENT_FUNDS', ['put', source, '/kept'])
    assert.match(error.hint ?? '', /wallet address/)
    await net.failure('INSUFFICIENT_FUNDS', ['wallet', 'send', theirs, '1'])
    assert.deepEqual(await net.result<ListEntry[]>(['ls']), [])
    await net.result(['wallet', 'send', mine, tokens], { home: friend.home })
    await until('the money is back', async () => {
      return (await net.client.api.walletBalance()).available > available / 2n
    })
    await net.result(['put', source, '/kept'])
    const { escrow } = await net.result<Record<keyof Balance, string>>(['wallet', 'balance'])
    assert.ok(BigInt(escrow) > 0n)
    await assertNothingLost()
  })

  it('knows no path that is not stored', async () => {
    for (const args of [
      ['get', '/nope', '-o', net.file('never')],
      ['rm', '/nope'],
      ['stat', '/nope']
    ]) {
      const { message } = await net.failure('NOT_FOUND', args)
      assert.match(message, /\/nope/)
    }
    await assert.rejects(access(net.file('never')))
    await net.failure('RANGE_INVALID', [
      'get',
      '/kept',
      '-o',
      net.file('never'),
      '--range',
      '300000-300001'
    ])
    await assert.rejects(access(net.file('never')))
  })

  it('replaces nothing unless told to', async () => {
    const { hint } = await net.failure('ALREADY_EXISTS', [
      'put',
      await file('other', kept.subarray(1)),
      '/kept'
    ])
    assert.match(hint ?? '', /--force/)
    await assertNothingLost()
  })

  it('stores no file that it cannot read', async () => {
    await mkdir(net.file('folder'))
    const sources: [name: string, message: RegExp][] = [
      [net.file('missing'), /no such file/],
      [net.file('folder'), /folder/]
    ]
    // opens, and then fails to be read, whoever asks
    if (process.platform === 'linux') sources.push(['/proc/self/mem', /mem/])
    for (const [source, message] of sources) {
      const error = await net.failure('INVALID_ARGUMENT', ['put', source, '/new'])
      assert.match(error.message, message)
    }
    await assertNothingLost()
  })

  it('stores no file that changes while it is read', async () => {
    const source = await file('growing', seededBytes(seed + 1, 4 * MIB))
    let over = false
    const putting = net.run(['put', source, '/new']).finally(() => {
      over = true
    })
    while (!over) {
      await appendFile(source, 'x')
      await new Promise(setImmediate)
    }
    failureOf(await putting, 'SOURCE_CHANGED')
    await assertNothingLost()
  })

  it('stores nothing on fewer providers than the profile needs', async () => {
    const error = await net.failure('TOO_FEW_PROVIDERS', [
      'put',
      net.file('small'),
      '/new',
      '--profile',
      '4/8'
    ])
    assert.match(error.message, /8 providers are needed/)
    assert.ok(error.hint !== undefined)
    const usage = await net.run(['put', net.file('small'), '/new', '--profile', '9/4'])
    assert.equal(usage.code, 2)
    await net.failure('TOO_FEW_PROVIDERS', ['quote', '1000', '--profile', '4/8'])
    await assertNothingLost()
  })

  it('stores nothing beyond the room that providers have', async () => {
    const large = seededBytes(seed + 2, QUOTA_BYTES + MIB)
    const known = await net.failure('TOO_FEW_PROVIDERS', [
      'put',
      await file('large', large),
      '/new'
    ])
    assert.match(JSON.stringify(known.details), /not enough free space/)
    const piped = failureOf(await net.run(['put', '-', '/new'], { input: large }), 'PUT_INCOMPLETE')
    assert.match(piped.message, /quota|room|space/i)
    await assertNothingLost()
    for (const { api } of net.providers) {
      const { usedBytes, reservedBytes, quotaBytes } = await api.providerStatus()
      assert.ok(usedBytes + reservedBytes <= quotaBytes)
    }
  })

  it('lets nobody in without the token', async () => {
    const { controlToken } = homePaths(net.client.home)
    const token = await readFile(controlToken)
    await writeFile(controlToken, `${'A'.repeat(43)}\n`)
    const { hint } = await net.failure('UNAUTHORIZED', ['ls'])
    assert.match(hint ?? '', /token/)
    await writeFile(controlToken, token)
    await assertNothingLost()
  })

  it('runs one daemon per home', async () => {
    const { home, api } = net.node('provider-1')
    const { hint } = failureOf(await startFails(home), 'HOME_IN_USE')
    assert.match(hint ?? '', /one daemon per home/)
    assert.equal(
      (await api.status()).pid,
      net.node('provider-1').pid,
      'the first one still answers'
    )
    failureOf(await startFails(net.client.home), 'HOME_IN_USE')
    await assertNothingLost()
  })

  /** A home of this network that no daemon runs in. */
  async function freshHome(name: string): Promise<string> {
    const home = net.file(name)
    await net.result(['init', '--network-of', net.validator.home], { home })
    return home
  }

  it('starts with no settings that it does not understand', async () => {
    const home = await freshHome('corrupt')
    const { config, genesis } = homePaths(home)
    const sound = await readFile(config)
    for (const text of [
      '{"roles":',
      '',
      '[]',
      '{"quotaBytes":5}',
      '{"nope":1}',
      '{"roles":["king"]}'
    ]) {
      await writeFile(config, text)
      const { message } = failureOf(await startFails(home), 'CONFIG_INVALID')
      assert.match(message, /config\.json/, text)
    }
    await writeFile(config, sound)
    const flag = failureOf(await startFails(home, '--set', 'logLevel=loud'), 'CONFIG_INVALID')
    assert.match(flag.message, /--set: logLevel/)
    await writeFile(genesis, '{"chainId":"x"}')
    failureOf(await startFails(home), 'CONFIG_INVALID')
    await rm(genesis)
    failureOf(await startFails(home), 'HOME_MISSING')
    assert.deepEqual(
      (await readdir(home)).filter(name => name.startsWith('control')),
      []
    )
  })

  it('says which port is taken', async () => {
    const home = await freshHome('ports')
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (const setting of [`listen=/ip4/127.0.0.1/tcp/${port}`, `controlPort=${port}`]) {
      const { message } = failureOf(await startFails(home, '--set', setting), 'PORT_IN_USE')
      assert.match(message, new RegExp(`${port}`))
    }
    server.close()
  })

  it('does not join another network, and says so', async () => {
    const [founder, foreign] = [net.file('founder'), net.file('foreign')]
    await net.result(['init'], { home: founder })
    const { genesis } = homePaths(founder)
    const [address] = (await net.validator.api.status()).listen
    const flags = ['--genesis', genesis, '--role', 'client', '--set', `bootstrap=${address}`]
    await net.result(['init', ...flags], { home: foreign })
    const { message } = failureOf(await startFails(foreign), 'WRONG_NETWORK')
    assert.match(message, /another network/)
    await assertNothingLost()
  })

  fromStrangers(seed, () => net, assertNothingLost)

  it('ends a command whose reader has gone, and the daemon goes on', async () => {
    const child = spawn(process.execPath, [PROGRAM, 'cat', '/kept'], {
      env: { ...process.env, HOLDFAST_HOME: net.client.home }
    })
    await once(child.stdout, 'data')
    child.stdout.destroy()
    await once(child, 'exit')
    await assertNothingLost()
  })
})
