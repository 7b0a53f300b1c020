/**
 * The genesis document: JSON that people write and read, parsed strictly. Money and powers are decimal strings, keys
 * hex, accounts addresses.
 */
import { accountOfAddress, addressOf } from '../base/address.ts'
import { fromHex, toHex } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { PUBLIC_KEY_BYTES } from '../base/keys.ts'
import { checkGenesis, type Genesis, type GenesisAccount } from './genesis.ts'
import type { Params } from './params.ts'
import { BEACON_KEY_BYTES, type Validator } from './types/records.ts'

export interface GenesisJson {
  chainId: string
  genesisTimeMs: number
  params: Record<keyof Params, number | string>
  accounts: { address: string; units: string }[]
  validators: { publicKey: string; power: string; address: string; beaconKey: string }[]
}

/** @throws HoldfastError CONFIG_INVALID naming the field that does not fit */
export function parseGenesis(json: unknown): Genesis {
  const top = fieldsOf(json, 'genesis', [
    'chainId',
    'genesisTimeMs',
    'params',
    'accounts',
    'validators'
  ])
  return checkGenesis({
    chainId: stringOf(top['chainId'], 'chainId'),
    genesisTimeMs: BigInt(integerOf(top['genesisTimeMs'], 'genesisTimeMs')),
    params: parseParams(top['params']),
    accounts: arrayOf(top['accounts'], 'accounts').map(parseAccount),
    validators: arrayOf(top['validators'], 'validators').map(parseValidator)
  })
}

export function genesisToJson(genesis: Genesis): GenesisJson {
  const { params } = genesis
  return {
    chainId: genesis.chainId,
    genesisTimeMs: Number(genesis.genesisTimeMs),
    params: {
      ...params,
      feeBaseUnits: params.feeBaseUnits.toString(),
      feePerKiBUnits: params.feePerKiBUnits.toString(),
      minBondUnits: params.minBondUnits.toString()
    },
    accounts: genesis.accounts.map(({ account, units }) => ({
      address: addressOf(account),
      units: units.toString()
    })),
    validators: genesis.validators.map(validator => ({
      publicKey: toHex(validator.publicKey),
      power: validator.power.toString(),
      address: addressOf(validator.account),
      beaconKey: toHex(validator.beaconKey)
    }))
  }
}

const INTEGER_PARAMS = [
  'blockIntervalMs',
  'periodHeights',
  'leavesPerProof',
  'dealPeriodsMax',
  'revealEveryHeights',
  'epochHeights',
  'unbondingHeights',
  'evidenceHeights',
  'downtimeHeights',
  'jailHeights',
  'abandonPeriods',
  'bountyPeriods',
  'noticePeriods',
  'compensationPerMille',
  'maintenancePeriodsMax',
  'maintenanceWindowPeriods',
  'channelSettleHeights'
] as const satisfies readonly (keyof Params)[]
const MONEY_PARAMS = [
  'feeBaseUnits',
  'feePerKiBUnits',
  'minBondUnits'
] as const satisfies readonly (keyof Params)[]

type Named = (typeof INTEGER_PARAMS)[number] | (typeof MONEY_PARAMS)[number]

function parseParams(json: unknown): Params {
  const fields = fieldsOf(json, 'params', [...INTEGER_PARAMS, ...MONEY_PARAMS])
  const integers = INTEGER_PARAMS.map(name => [name, integerOf(fields[name], name)])
  const money = MONEY_PARAMS.map(name => [name, decimalOf(fields[name], name)])
  const params: Record<Named, number | bigint> = Object.fromEntries([...integers, ...money])
  return params as Params
}

function parseAccount(json: unknown): GenesisAccount {
  const fields = fieldsOf(json, 'accounts', ['address', 'units'])
  return {
    account: addressField(fields['address']),
    units: decimalOf(fields['units'], 'units')
  }
}

function parseValidator(json: unknown): Validator {
  const fields = fieldsOf(json, 'validators', ['publicKey', 'power', 'address', 'beaconKey'])
  return {
    publicKey: hexOf(fields['publicKey'], 'publicKey', PUBLIC_KEY_BYTES),
    power: decimalOf(fields['power'], 'power'),
    account: addressField(fields['address']),
    beaconKey: hexOf(fields['beaconKey'], 'beaconKey', BEACON_KEY_BYTES)
  }
}

function fieldsOf(json: unknown, what: string, names: string[]): Record<string, unknown> {
  check(typeof json === 'object' && json !== null && !Array.isArray(json), `${what}: an object`)
  const record = json as Record<string, unknown>
  const extra = Object.keys(record).find(name => !names.includes(name))
  check(extra === undefined, `${what}: unknown field ${extra}`)
  const missing = names.find(name => record[name] === undefined)
  check(missing === undefined, `${what}: missing field ${missing}`)
  return record
}

function arrayOf(json: unknown, what: string): unknown[] {
  check(Array.isArray(json), `${what}: a list`)
  return json as unknown[]
}

function stringOf(json: unknown, what: string): string {
  check(typeof json === 'string', `${what}: a string`)
  return json as string
}

function integerOf(json: unknown, what: string): number {
  check(Number.isSafeInteger(json) && (json as number) >= 0, `${what}: a whole number`)
  return json as number
}

function decimalOf(json: unknown, what: string): bigint {
  const text = stringOf(json, what)
  check(/^(0|[1-9]\d{0,18})$/.test(text), `${what}: a decimal string of at most 19 digits`)
  return BigInt(text)
}

function hexOf(json: unknown, what: string, length: number): Uint8Array {
  const text = stringOf(json, what)
  check(text.length === 2 * length && /^[0-9a-f]*$/.test(text), `${what}: ${length} bytes of hex`)
  return fromHex(text)
}

function addressField(json: unknown): Uint8Array {
  try {
    return accountOfAddress(stringOf(json, 'address'))
  } catch (cause) {
    throw new HoldfastError('CONFIG_INVALID', 'genesis: not an address', { cause })
  }
}

function check(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new HoldfastError('CONFIG_INVALID', `genesis: ${problem}`)
}
