import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { HoldfastError } from '../../src/base/errors.ts'
import { configMarkdown, resolveConfig, SETTINGS } from '../../src/node/config.ts'

function invalid(
  sources: Parameters<typeof resolveConfig>[0],
  path: string,
  source: string
): string {
  try {
    resolveConfig(sources)
  } catch (error) {
    assert.ok(HoldfastError.is(error, 'CONFIG_INVALID'), String(error))
    assert.deepEqual([error.details['path'], error.details['source']], [path, source])
    assert.ok(error.message.length < 1000)
    return error.message
  }
  return assert.fail(`${path} was accepted`)
}

describe('config', () => {
  it('has a default for everything', () => {
    const config = resolveConfig({})
    assert.deepEqual(config.roles, ['client'])
    assert.deepEqual(config.listen, ['/ip4/127.0.0.1/tcp/0'])
    assert.equal(config.controlPort, 0)
    assert.equal(config.client.profile, '4/8')
    assert.equal(config.client.dealPeriods, 2048)
    assert.equal(typeof config.ask.priceUnitsPerGiBPeriod, 'bigint')
    assert.ok(config.client.maxPriceUnitsPerGiBPeriod >= config.ask.priceUnitsPerGiBPeriod)
  })

  it('lets the environment override the file, and flags override both', () => {
    const file = { quotaBytes: 1e9, logLevel: 'warn', ask: { region: 'file', operator: 'file' } }
    const env = { HOLDFAST_QUOTA_BYTES: '2000000000', HOLDFAST_ASK_REGION: 'env', OTHER: 'x' }
    const set = ['ask.region=a=b', 'quotaBytes=3000000000', 'quotaBytes=4000000000']
    assert.equal(resolveConfig({ file }).quotaBytes, 1e9)
    assert.equal(resolveConfig({ file, env }).quotaBytes, 2e9)
    const all = resolveConfig({ file, env, set })
    assert.deepEqual([all.quotaBytes, all.logLevel], [4e9, 'warn'])
    assert.deepEqual([all.ask.region, all.ask.operator], ['a=b', 'file'])
    assert.equal(file.ask.region, 'file', 'the input is not changed')
  })

  it('reads lists, money and empty variables', () => {
    const peer = '/ip4/10.0.0.1/tcp/4001/p2p/12D3KooWA'
    const env = { HOLDFAST_ROLES: 'provider, client', HOLDFAST_LOG_LEVEL: '' }
    const set = [`bootstrap=${peer},${peer}`, 'ask.collateralUnits=123456789012345678']
    const config = resolveConfig({ env, set, file: { ask: { priceUnitsPerGiBPeriod: '7' } } })
    assert.deepEqual(config.roles, ['provider', 'client'])
    assert.deepEqual(config.bootstrap, [peer, peer])
    assert.equal(config.ask.collateralUnits, 123456789012345678n)
    assert.equal(config.ask.priceUnitsPerGiBPeriod, 7n)
    assert.deepEqual(resolveConfig({ set: ['bootstrap='] }).bootstrap, [])
  })

  it('names the bad value, where it came from and what is allowed', () => {
    const message = invalid(
      { env: { HOLDFAST_QUOTA_BYTES: '5 GB' } },
      'quotaBytes',
      'HOLDFAST_QUOTA_BYTES'
    )
    assert.match(message, /"5 GB", allowed: bytes, 67108864 to/)
    invalid({ file: { roles: ['provider', 'king'] } }, 'roles.1', 'config.json')
    invalid({ file: { roles: ['client', 'client'] } }, 'roles', 'config.json')
    invalid({ file: { controlPort: 65_536 } }, 'controlPort', 'config.json')
    invalid({ file: { ask: 'cheap' } }, 'ask', 'config.json')
    invalid({ set: ['bootstrap=/ip4/10.0.0.1/tcp/4001'] }, 'bootstrap.0', '--set')
    invalid({ set: ['client.profile=9/4'] }, 'client.profile', '--set')
    invalid({ set: ['ask.priceUnitsPerGiBPeriod=-1'] }, 'ask.priceUnitsPerGiBPeriod', '--set')
    invalid({ set: ['ask.priceUnitsPerGiBPeriod=1.5'] }, 'ask.priceUnitsPerGiBPeriod', '--set')
    invalid({ set: [`ask.region=${'x'.repeat(9999)}`] }, 'ask.region', '--set')
  })

  it('refuses settings that do not exist', () => {
    invalid({ set: ['quota=5'] }, 'quota', '--set')
    invalid({ set: ['ask=5'] }, 'ask', '--set')
    invalid({ set: ['__proto__.x=5'] }, '__proto__.x', '--set')
    invalid({ file: { quoteBytes: 1 } }, 'quoteBytes', 'config.json')
    invalid({ file: { ask: { price: 1 } } }, 'ask.price', 'config.json')
    assert.throws(() => resolveConfig({ file: [] }), { code: 'CONFIG_INVALID' })
  })

  it('gives every setting one environment variable', () => {
    const names = SETTINGS.map(({ env }) => env)
    assert.equal(new Set(names).size, names.length)
    assert.ok(names.includes('HOLDFAST_CLIENT_MAX_PRICE_UNITS_PER_GIB_PERIOD'))
    for (const name of names) assert.match(name, /^HOLDFAST_[A-Z_]+$/)
  })

  it('is what docs/CONFIG.md says', async () => {
    const file = new URL('../../docs/CONFIG.md', import.meta.url)
    assert.equal(await readFile(file, 'utf8'), configMarkdown())
  })
})
