/** The state before the first block. */
import { u64be } from '../../base/bytes.ts'
import { type Genesis, supplyOfGenesis } from '../genesis.ts'
import type { Overlay } from '../state/overlay.ts'
import {
  accounts,
  mixes,
  ONLY,
  paramsTable,
  periodMixes,
  totals,
  validators
} from '../state/tables.ts'
import { NEW_ACCOUNT } from './money.ts'

export function genesisState(state: Overlay, genesis: Genesis, mix: Uint8Array): void {
  for (const { account, units } of genesis.accounts) {
    state.put(accounts, account, { ...NEW_ACCOUNT, balanceUnits: units })
  }
  state.put(totals, ONLY, {
    balanceUnits: supplyOfGenesis(genesis),
    escrowUnits: 0n,
    collateralUnits: 0n,
    burntUnits: 0n
  })
  state.put(mixes, ONLY, mix)
  state.put(periodMixes, u64be(0), mix)
  state.put(validators, ONLY, genesis.validators)
  state.put(paramsTable, ONLY, genesis.params)
}
