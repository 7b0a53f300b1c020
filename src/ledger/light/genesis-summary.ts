/**
 * What of a genesis a light client needs, with the roots that lead from it to the genesis hash: so the hash alone is
 * enough to be trusted.
 */
import { equal } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import { domainHash, type Hash } from '../../base/hash.ts'
import { GENESIS_ACCOUNTS_MAX, type Genesis, type GenesisAccount } from '../genesis.ts'
import { paramsType } from '../params.ts'
import { chainIdType } from '../types/network.ts'
import { type Validator, validatorsType } from '../types/records.ts'
import { bytes32, container, listOf, type Ssz, u64 } from '../types/ssz.ts'
import type { Trusted } from './trust.ts'

export interface GenesisSummary {
  chainId: string
  genesisTimeMs: bigint
  paramsRoot: Uint8Array
  accountsRoot: Uint8Array
  validators: Validator[]
}

/** The fields of a genesis in their order. The root of a field stands for it, so both containers have the same root. */
export const genesisSummaryType: Ssz<GenesisSummary> = container<GenesisSummary>('GenesisSummary', {
  chainId: chainIdType,
  genesisTimeMs: u64,
  paramsRoot: bytes32,
  accountsRoot: bytes32,
  validators: validatorsType
})

const accountsType = listOf(
  container<GenesisAccount>('GenesisAccount', { account: bytes32, units: u64 }),
  GENESIS_ACCOUNTS_MAX
)

export function summaryOf(genesis: Genesis): GenesisSummary {
  const { chainId, genesisTimeMs, params, accounts, validators } = genesis
  return {
    chainId,
    genesisTimeMs,
    paramsRoot: paramsType.hashTreeRoot(params),
    accountsRoot: accountsType.hashTreeRoot(accounts),
    validators
  }
}

/** Height 0 of the genesis with this hash. @throws HoldfastError WRONG_NETWORK when the summary is of another one */
export function trustGenesisHash(genesisHash: Hash, summary: GenesisSummary): Trusted {
  const hash = domainHash('ledger/genesis/v1', genesisSummaryType.hashTreeRoot(summary))
  if (!equal(hash, genesisHash)) {
    throw new HoldfastError('WRONG_NETWORK', 'the genesis is that of another network')
  }
  const { chainId, genesisTimeMs: timeMs, validators } = summary
  return {
    network: { chainId, genesisHash },
    ...{ height: 0n, blockHash: genesisHash, timeMs, validators },
    nextValidatorsHash: validatorsType.hashTreeRoot(validators)
  }
}
