/** The genesis of a new network: who has money, who validates. */
import { randomBytes } from 'node:crypto'
import { accountOfAddress, addressOf } from '../src/base/address.ts'
import { fromHex, toHex } from '../src/base/bytes.ts'
import { HoldfastError } from '../src/base/errors.ts'
import type { Units } from '../src/base/money.ts'
import { deriveKeys, type KeySet } from '../src/base/seed.ts'
import { beaconKeyFromSecret } from '../src/ledger/beacon.ts'
import { bondOf, checkGenesis, genesisHashOf } from '../src/ledger/genesis.ts'
import { type GenesisJson, genesisToJson, parseGenesis } from '../src/ledger/genesis-json.ts'
import type { Params } from '../src/ledger/params.ts'

export interface Member {
  phrase: string
  units: Units
  validator: boolean
}

/** Bonded from the validator's own units. */
const VALIDATOR_POWER = 1_000n

/**
 * The chain id is `prefix` and eight random hex digits.
 * @throws HoldfastError CONFIG_INVALID
 */
export function createGenesis(
  prefix: string,
  params: Params,
  members: readonly Member[]
): GenesisJson {
  const keyed = members.map(member => ({ ...member, keys: deriveKeys(member.phrase) }))
  const genesis = checkGenesis({
    chainId: `${prefix}-${randomBytes(4).toString('hex')}`,
    genesisTimeMs: BigInt(Date.now()),
    params,
    accounts: keyed.map(({ keys, units, validator }) => ({
      account: keys.wallet.publicKey,
      units: validator ? units - bondOf(VALIDATOR_POWER) : units
    })),
    validators: keyed
      .filter(({ validator }) => validator)
      .map(({ keys }) => ({
        publicKey: keys.validator.publicKey,
        power: VALIDATOR_POWER,
        account: keys.wallet.publicKey,
        beaconKey: beaconKeyFromSecret(keys.beaconSecret).publicKey
      }))
  })
  return genesisToJson(genesis)
}

/** What one operator hands to whoever puts the genesis together. Nothing in it is secret. */
export interface MemberFile {
  address: string
  publicKey: string
  beaconKey: string
}

export function memberFile(keys: KeySet): MemberFile {
  return {
    address: addressOf(keys.wallet.publicKey),
    publicKey: toHex(keys.validator.publicKey),
    beaconKey: toHex(beaconKeyFromSecret(keys.beaconSecret).publicKey)
  }
}

/** @throws HoldfastError INVALID_ARGUMENT naming the file */
export function parseMember(file: string, json: unknown): MemberFile {
  const { address, publicKey, beaconKey } = (json ?? {}) as Record<string, unknown>
  const isHex = (value: unknown, bytes: number): value is string =>
    typeof value === 'string' && new RegExp(`^[0-9a-f]{${2 * bytes}}$`).test(value)
  if (typeof address === 'string' && isHex(publicKey, 32) && isHex(beaconKey, 48)) {
    accountOfAddress(address)
    return { address, publicKey, beaconKey }
  }
  throw new HoldfastError('INVALID_ARGUMENT', `${file} is not what "genesis member" prints`)
}

export interface SharedGenesisInit {
  chainId: string
  params: Params
  members: readonly MemberFile[]
  /** Power of every member: whole tokens that are bonded for it, on top of what it has to spend. */
  power: bigint
  /** What every member has to spend. */
  memberUnits: Units
  /** Others who have money from the start. */
  grants: readonly { address: string; units: Units }[]
}

/** @throws HoldfastError CONFIG_INVALID */
export function sharedGenesis(init: SharedGenesisInit): GenesisJson {
  const { members, power, memberUnits, grants } = init
  const units = new Map<string, Units>(members.map(({ address }) => [address, memberUnits]))
  for (const grant of grants) {
    units.set(grant.address, (units.get(grant.address) ?? 0n) + grant.units)
  }
  const genesis = checkGenesis({
    chainId: init.chainId,
    genesisTimeMs: BigInt(Date.now()),
    params: init.params,
    accounts: [...units].map(([address, amount]) => ({
      account: accountOfAddress(address),
      units: amount
    })),
    validators: members.map(member => ({
      publicKey: fromHex(member.publicKey),
      power,
      account: accountOfAddress(member.address),
      beaconKey: fromHex(member.beaconKey)
    }))
  })
  return genesisToJson(genesis)
}

/** Hex; what operators compare before they start. @throws HoldfastError CONFIG_INVALID */
export function hashOfGenesis(json: GenesisJson): string {
  return toHex(genesisHashOf(parseGenesis(json)))
}
