/** The genesis: the record that every hash of a network descends from. Its JSON form is in genesis-json.ts. */
import { toHex } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { domainHash, type Hash } from '../base/hash.ts'
import { VALIDATORS_MAX } from '../base/limits.ts'
import { UNITS_MAX, type Units } from '../base/money.ts'
import { isBeaconKey } from './beacon.ts'
import { checkParams, type Params, paramsType } from './params.ts'
import { chainIdType, isChainId } from './types/network.ts'
import { type Validator, validatorsType } from './types/records.ts'
import { bytes32, container, listOf, type Ssz, u64 } from './types/ssz.ts'
import { UNITS_PER_POWER } from './types/validator.ts'

export interface GenesisAccount {
  account: Uint8Array
  units: Units
}

export interface Genesis {
  chainId: string
  genesisTimeMs: bigint
  params: Params
  accounts: GenesisAccount[]
  validators: Validator[]
}

export const GENESIS_ACCOUNTS_MAX = 65_536
/** Backed by the whole supply; keeps every sum of powers far below u64. */
export const POWER_MAX: bigint = UNITS_MAX / UNITS_PER_POWER

export const genesisType: Ssz<Genesis> = container<Genesis>('Genesis', {
  chainId: chainIdType,
  genesisTimeMs: u64,
  params: paramsType,
  accounts: listOf(
    container<GenesisAccount>('GenesisAccount', { account: bytes32, units: u64 }),
    GENESIS_ACCOUNTS_MAX
  ),
  validators: validatorsType
})

/** 32 bytes; also the parent of the first block. */
export function genesisHashOf(genesis: Genesis): Hash {
  return domainHash('ledger/genesis/v1', genesisType.hashTreeRoot(genesis))
}

/** All accounts and all bonds. */
export function supplyOfGenesis(genesis: Genesis): Units {
  const balances = genesis.accounts.reduce((sum, { units }) => sum + units, 0n)
  return balances + bondsOfGenesis(genesis)
}

/** What backs a power in the genesis. */
export function bondOf(power: bigint): Units {
  return power * UNITS_PER_POWER
}

/** The validators of the genesis are bonded from it on: the bond is exactly what their power stands for. */
export function bondsOfGenesis(genesis: Genesis): Units {
  return genesis.validators.reduce((sum, { power }) => sum + bondOf(power), 0n)
}

/** The same genesis. @throws HoldfastError CONFIG_INVALID when a part is out of range or repeats */
export function checkGenesis(genesis: Genesis): Genesis {
  const { chainId, accounts, validators } = genesis
  check(isChainId(chainId), 'chainId must be 1 to 32 of a-z, 0-9 and "-"')
  checkParams(genesis.params)
  check(accounts.length <= GENESIS_ACCOUNTS_MAX, `at most ${GENESIS_ACCOUNTS_MAX} accounts`)
  check(distinct(accounts.map(({ account }) => account)), 'an account is listed twice')
  check(supplyOfGenesis(genesis) <= UNITS_MAX, 'the supply is above the cap')
  check(
    validators.length >= 1 && validators.length <= VALIDATORS_MAX,
    `between 1 and ${VALIDATORS_MAX} validators`
  )
  check(distinct(validators.map(({ publicKey }) => publicKey)), 'a validator key is listed twice')
  check(distinct(validators.map(({ beaconKey }) => beaconKey)), 'a beacon key is listed twice')
  check(distinct(validators.map(({ account }) => account)), 'an account has two validators')
  for (const { power, beaconKey } of validators) {
    check(power >= 1n && power <= POWER_MAX, `validator power must be 1 to ${POWER_MAX}`)
    check(bondOf(power) >= genesis.params.minBondUnits, 'a validator has less than the least bond')
    check(isBeaconKey(beaconKey), 'a beacon key is not a point of G1')
  }
  return genesis
}

function distinct(keys: readonly Uint8Array[]): boolean {
  return new Set(keys.map(toHex)).size === keys.length
}

function check(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new HoldfastError('CONFIG_INVALID', `genesis: ${problem}`)
}
