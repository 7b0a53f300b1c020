import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDevnet } from '../../bin/devnet/network.ts'
import { initHome, restoreHome } from '../../bin/setup.ts'
import { parseGenesis } from '../../src/ledger/genesis-json.ts'
import { resolveConfig } from '../../src/node/config.ts'
import { openHome } from '../../src/node/home.ts'

describe('making homes', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-setup-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('founds a network, joins it, and restores a wallet of it', async () => {
    const [first, second, third] = ['first', 'second', 'third'].map(name => join(folder, name))
    const founded = await initHome({ home: first!, set: ['ask.region=eu'] })
    const { genesis, config, phrase } = await openHome(first!)
    const parsed = parseGenesis(genesis)
    assert.equal(parsed.validators.length, 1)
    assert.equal(parsed.chainId, founded.chainId)
    assert.equal(resolveConfig({ file: config }).ask.region, 'eu')
    assert.deepEqual(founded.roles, ['validator', 'client'])

    const joined = await initHome({
      home: second!,
      networkOf: first!,
      roles: ['provider'],
      set: []
    })
    assert.deepEqual([joined.chainId, joined.roles], [founded.chainId, ['provider']])
    assert.notEqual(joined.address, founded.address)

    const restored = await restoreHome({ home: third!, networkOf: second!, phrase })
    assert.equal(restored.address, founded.address)
    assert.deepEqual((await openHome(third!)).genesis, genesis)
  })

  it('refuses what cannot work, and then makes nothing', async () => {
    const home = join(folder, 'node')
    const file = join(folder, 'genesis.json')
    await assert.rejects(initHome({ home, set: [], roles: ['client'] }), {
      code: 'INVALID_ARGUMENT'
    })
    await assert.rejects(initHome({ home, set: [], roles: ['king'] }), { code: 'CONFIG_INVALID' })
    await assert.rejects(initHome({ home, set: ['no.such=1'] }), { code: 'CONFIG_INVALID' })
    await assert.rejects(initHome({ home, set: [], networkOf: file }), { code: 'HOME_MISSING' })
    await assert.rejects(initHome({ home, set: [], genesisFile: file }), {
      code: 'INVALID_ARGUMENT'
    })
    await writeFile(file, '{"chainId":"x"}')
    await assert.rejects(initHome({ home, set: [], genesisFile: file }), { code: 'CONFIG_INVALID' })
    assert.deepEqual(await readdir(folder), ['genesis.json'])
  })

  it('makes a devnet once and finds it again', async () => {
    const dir = join(folder, 'deep', 'net')
    const shape = { providers: 3, validators: 2, clients: 1, periodMs: 5_000 }
    const nodes = await openDevnet(dir, shape)
    const names = [
      'validator-1',
      'validator-2',
      'provider-1',
      'provider-2',
      'provider-3',
      'client-1'
    ]
    assert.deepEqual(
      nodes.map(({ name }) => name),
      names
    )
    const homes = await Promise.all(nodes.map(({ home }) => openHome(home)))
    assert.equal(new Set(homes.map(({ phrase }) => phrase)).size, names.length)
    for (const { genesis } of homes) assert.deepEqual(genesis, homes[0]!.genesis)
    const genesis = parseGenesis(homes[0]!.genesis)
    assert.equal(genesis.accounts.length, names.length)
    assert.deepEqual(
      genesis.validators.map(({ publicKey }) => publicKey),
      homes.slice(0, 2).map(({ keys }) => keys.validator.publicKey)
    )
    assert.equal(genesis.params.blockIntervalMs * genesis.params.periodHeights, 5_000)
    assert.deepEqual((await readdir(join(folder, 'deep'))).sort(), ['net'])

    assert.deepEqual(await openDevnet(dir, {}), nodes)
    assert.deepEqual(await openDevnet(dir, { providers: 3 }), nodes)
    await assert.rejects(openDevnet(dir, { providers: 4 }), {
      code: 'INVALID_ARGUMENT',
      message: /providers = 3, not 4/
    })
  })

  it('touches no folder that holds something else', async () => {
    await mkdir(join(folder, 'photos'))
    await writeFile(join(folder, 'photos', 'cat.jpg'), '')
    await assert.rejects(openDevnet(join(folder, 'photos'), {}), { code: 'INVALID_ARGUMENT' })
    assert.deepEqual(await readdir(join(folder, 'photos')), ['cat.jpg'])
  })
})
