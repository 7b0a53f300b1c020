/** The genesis of a new network: who has money, who validates. */
import { randomBytes } from 'node:crypto'
import type { Units } from '../src/base/money.ts'
import { deriveKeys } from '../src/base/seed.ts'
import { beaconKeyFromSecret } from '../src/ledger/beacon.ts'
import { bondOf, checkGenesis } from '../src/ledger/genesis.ts'
import { type GenesisJson, genesisToJson } from '../src/ledger/genesis-json.ts'
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
