import assert from 'node:assert/strict'
import { addressOf } from '../../src/base/address.ts'
import { toHex } from '../../src/base/bytes.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { UNITS_MAX } from '../../src/base/money.ts'
import { genesisHashOf } from '../../src/ledger/genesis.ts'
import { type GenesisJson, genesisToJson, parseGenesis } from '../../src/ledger/genesis-json.ts'
import {
  checkParams,
  defaultParams,
  devnetParams,
  feeOf,
  LEAVES_PER_PROOF_MAX,
  periodAt
} from '../../src/ledger/params.ts'
import { UNITS_PER_POWER } from '../../src/ledger/types/validator.ts'
import { keyOf, testGenesis } from './support.ts'

const genesis = testGenesis(
  { alice: 7n, bob: UNITS_MAX - 4n * UNITS_PER_POWER - 7n },
  {},
  { v0: 1n, v1: 3n }
)

/** The JSON as it comes from a file, free to be damaged. */
function json(): GenesisJson {
  return JSON.parse(JSON.stringify(genesisToJson(genesis))) as GenesisJson
}

function refuses(damage: (json: GenesisJson) => unknown, problem: RegExp): void {
  const damaged = json()
  damage(damaged)
  assert.throws(
    () => parseGenesis(damaged),
    (error: unknown) => HoldfastError.is(error, 'CONFIG_INVALID') && problem.test(error.message)
  )
}

describe('the genesis document', () => {
  it('survives JSON with its hash', () => {
    assert.equal(toHex(genesisHashOf(parseGenesis(json()))), toHex(genesisHashOf(genesis)))
  })

  it('has another hash for every change', () => {
    const hashes = new Set<string>()
    const changes: ((json: GenesisJson) => unknown)[] = [
      () => {},
      j => (j.chainId = 'test-2'),
      j => j.genesisTimeMs++,
      j => Object.assign(j.params, { periodHeights: 11 }),
      j => (j.accounts[0]!.units = '6'),
      j => (j.validators[1]!.power = '2'),
      j => j.validators.reverse()
    ]
    for (const change of changes) {
      const changed = json()
      change(changed)
      hashes.add(toHex(genesisHashOf(parseGenesis(changed))))
    }
    assert.equal(hashes.size, changes.length)
  })

  it('is refused when a field is missing, unknown or of another type', () => {
    assert.throws(() => parseGenesis(null), { code: 'CONFIG_INVALID' })
    assert.throws(() => parseGenesis([]), { code: 'CONFIG_INVALID' })
    refuses(j => Reflect.deleteProperty(j, 'params'), /missing field params/)
    refuses(j => Object.assign(j, { extra: 1 }), /unknown field extra/)
    refuses(j => Object.assign(j.params, { extra: 1 }), /unknown field extra/)
    refuses(j => Object.assign(j, { accounts: {} }), /a list/)
    refuses(j => Object.assign(j.accounts[0]!, { units: 7 }), /a string/)
    refuses(j => (j.accounts[0]!.units = '1e9'), /decimal/)
    refuses(j => (j.accounts[0]!.units = '-1'), /decimal/)
    refuses(j => (j.accounts[0]!.address = 'hf1nothing'), /address/)
    refuses(j => (j.genesisTimeMs = 1.5), /whole number/)
    refuses(j => (j.validators[0]!.publicKey = 'ab'), /32 bytes of hex/)
  })

  it('is refused when values do not fit each other', () => {
    refuses(j => (j.chainId = 'Upper Case'), /chainId/)
    refuses(j => (j.chainId = 'x'.repeat(33)), /chainId/)
    refuses(j => (j.accounts[0]!.units = '8'), /supply/)
    refuses(j => (j.accounts[1]!.address = j.accounts[0]!.address), /twice/)
    refuses(j => (j.validators = []), /validators/)
    refuses(j => (j.validators[1]!.publicKey = j.validators[0]!.publicKey), /twice/)
    refuses(j => (j.validators[1]!.beaconKey = j.validators[0]!.beaconKey), /twice/)
    refuses(j => (j.validators[0]!.beaconKey = '00'.repeat(48)), /G1/)
    refuses(j => (j.validators[0]!.power = '0'), /power/)
    refuses(j => (j.validators[1]!.address = j.validators[0]!.address), /two validators/)
    refuses(j => Object.assign(j.params, { minBondUnits: '2000000000' }), /least bond/)
    refuses(j => (j.validators[0]!.power = '2'), /supply/)
    refuses(j => (j.params.leavesPerProof = LEAVES_PER_PROOF_MAX + 1), /leavesPerProof/)
    assert.equal(json().accounts[0]!.address, addressOf(keyOf('alice').publicKey))
  })
})

describe('parameters', () => {
  it('defaults are in range', () => {
    const params = checkParams(defaultParams())
    assert.equal(params.blockIntervalMs * params.periodHeights, 86_400_000)
    const devnet = devnetParams({ periodMs: 5_000 })
    assert.deepEqual([devnet.periodHeights, devnet.revealEveryHeights], [10, 10])
    assert.equal(devnetParams({ periodMs: 5_000, blockIntervalMs: 100 }).periodHeights, 50)
    assert.throws(() => devnetParams({ periodMs: 500 }), { code: 'CONFIG_INVALID' })
  })

  it('are refused out of range', () => {
    for (const changes of [
      { blockIntervalMs: 0 },
      { periodHeights: 1 },
      { leavesPerProof: 0 },
      { dealPeriodsMax: 4097 },
      { revealEveryHeights: 0 },
      { revealEveryHeights: 20_000 },
      { feeBaseUnits: -1n },
      { feePerKiBUnits: UNITS_MAX },
      { epochHeights: 1 },
      { minBondUnits: 1n },
      { unbondingHeights: defaultParams().evidenceHeights - 1 },
      { evidenceHeights: 0 },
      { epochHeights: 2 },
      { downtimeHeights: 3 },
      { jailHeights: 0 }
    ]) {
      assert.throws(() => checkParams({ ...defaultParams(), ...changes }), {
        code: 'CONFIG_INVALID'
      })
    }
  })

  it('count fees by begun KiB and periods by heights', () => {
    const params = { ...defaultParams(), feeBaseUnits: 10n, feePerKiBUnits: 3n, periodHeights: 10 }
    assert.deepEqual(
      [1, 1024, 1025].map(bytes => feeOf(params, bytes)),
      [13n, 13n, 16n]
    )
    assert.deepEqual(
      [0n, 9n, 10n, 25n].map(height => periodAt(params, height)),
      [0n, 0n, 1n, 2n]
    )
  })
})
