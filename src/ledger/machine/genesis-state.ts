/** The state before the first block. */
import { u64be } from '../../base/bytes.ts'
import { bondOf, bondsOfGenesis, type Genesis, supplyOfGenesis } from '../genesis.ts'
import type { Overlay } from '../state/overlay.ts'
import {
  accounts,
  beaconKeys,
  mixes,
  ONLY,
  paramsTable,
  periodMixes,
  roster,
  totals,
  validatorRecords,
  voteKeys
} from '../state/tables.ts'
import type { Validator } from '../types/records.ts'
import { NEW_ACCOUNT } from './money.ts'
import { startSets } from './validator-sets.ts'

export function genesisState(state: Overlay, genesis: Genesis, mix: Uint8Array): void {
  for (const { account, units } of genesis.accounts) {
    state.put(accounts, account, { ...NEW_ACCOUNT, balanceUnits: units })
  }
  state.put(totals, ONLY, {
    balanceUnits: supplyOfGenesis(genesis) - bondsOfGenesis(genesis),
    escrowUnits: 0n,
    collateralUnits: 0n,
    bondUnits: bondsOfGenesis(genesis),
    unbondingUnits: 0n,
    burntUnits: 0n
  })
  state.put(mixes, ONLY, mix)
  state.put(periodMixes, u64be(0), mix)
  state.put(paramsTable, ONLY, genesis.params)
  for (const validator of genesis.validators) bondFromGenesis(state, validator)
  state.put(
    roster,
    ONLY,
    genesis.validators.map(({ account }) => account)
  )
  startSets(state, genesis.validators)
}

function bondFromGenesis(
  state: Overlay,
  { account, publicKey, beaconKey, power }: Validator
): void {
  state.put(voteKeys, publicKey, account)
  state.put(beaconKeys, beaconKey, account)
  state.put(validatorRecords, account, {
    voteKey: publicKey,
    beaconKey,
    bondUnits: bondOf(power),
    unbonding: [],
    rostered: 1,
    jailedUntil: 0n,
    tombstonedHeight: 0n
  })
}
