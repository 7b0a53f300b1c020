/** Where the machine stands: one record, written with every commit. */
import { assert } from '../../base/assert.ts'
import type { Hash } from '../../base/hash.ts'
import { bytes32, container, type Ssz, u64 } from '../types/ssz.ts'
import { APP_HEAD_KEY } from './keys.ts'
import type { StateView } from './view.ts'

export interface AppHead {
  height: bigint
  /** State root after the height. */
  appHash: Hash
  resultsHash: Hash
}

export const appHeadType: Ssz<AppHead> = container<AppHead>('AppHead', {
  height: u64,
  appHash: bytes32,
  resultsHash: bytes32
})

/** The head of the commit that a view shows. */
export function appHeadOf(view: StateView): AppHead {
  const bytes = view.raw(APP_HEAD_KEY)
  assert(bytes !== undefined, 'a ledger has a head')
  return appHeadType.deserialize(bytes)
}
