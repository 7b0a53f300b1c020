/** validatorRegister and validatorUnjail: how an account comes, and comes back, to be drawn into the set. */
import { equal } from '../../base/bytes.ts'
import { type SigningKey, verifySignature } from '../../base/keys.ts'
import { verifyPossession } from '../beacon.ts'
import type { TxContext } from '../machine/context.ts'
import { lockBond } from '../machine/money.ts'
import { requireThat } from '../machine/outcomes.ts'
import { putValidator, requireValidator } from '../machine/validators.ts'
import { beaconKeys, validatorRecords, voteKeys } from '../state/tables.ts'
import {
  type ValidatorBinding,
  type ValidatorRef,
  type ValidatorRegister,
  validatorBindingType
} from '../types/validator-tx.ts'

const BINDING_LABEL = 'ledger/validator-binding/v1'

/** 64-byte signature by the vote key. */
export function signValidatorBinding(key: SigningKey, binding: ValidatorBinding): Uint8Array {
  return key.sign(BINDING_LABEL, validatorBindingType.hashTreeRoot(binding))
}

/**
 * The sender owns a validator with these keys, for good.
 *
 * Money flows: bondUnits from the sender's balance to its bond.
 */
export function applyRegister(ctx: TxContext, payload: ValidatorRegister): void {
  const { state, params, sender } = ctx
  const { voteKey, beaconKey, bondUnits } = payload
  requireThat(
    state.get(validatorRecords, sender) === undefined,
    'ValidatorExists',
    'the account has a validator'
  )
  requireThat(
    state.get(voteKeys, voteKey) === undefined && state.get(beaconKeys, beaconKey) === undefined,
    'ValidatorKeyTaken',
    'a key belongs to another validator'
  )
  requireThat(
    bondUnits >= params.minBondUnits,
    'BondTooSmall',
    `the least bond is ${params.minBondUnits} units`
  )
  lockBond(state, sender, bondUnits)
  putValidator(state, params, sender, {
    voteKey,
    beaconKey,
    bondUnits,
    unbonding: [],
    rostered: 0,
    jailedUntil: 0n,
    tombstonedHeight: 0n
  })
  state.put(voteKeys, voteKey, sender)
  state.put(beaconKeys, beaconKey, sender)
  checkKeys(ctx, payload)
}

/** The slow checks, after all others: what a block may ask for is limited. */
function checkKeys(ctx: TxContext, payload: ValidatorRegister): void {
  const { voteKey, voteSignature, beaconKey, beaconProof } = payload
  const { chainId, genesisHash } = ctx.network
  const binding = { chainId, genesisHash, account: ctx.sender, voteKey, beaconKey }
  const root = validatorBindingType.hashTreeRoot(binding)
  requireThat(
    verifySignature(voteKey, BINDING_LABEL, root, voteSignature),
    'SignatureInvalid',
    'the vote key did not sign for this account'
  )
  requireThat(ctx.budget.proofChecks > 0, 'BlockBudgetSpent', 'the next block has room for it')
  ctx.budget.proofChecks--
  requireThat(
    verifyPossession(binding, beaconProof),
    'SignatureInvalid',
    'the beacon key did not sign for this account'
  )
}

/** Ends the stay in jail, by the owner. Money flows: none. */
export function applyUnjail(ctx: TxContext, { account }: ValidatorRef): void {
  const { state, params, height, sender } = ctx
  requireThat(equal(account, sender), 'NotAParty', 'the validator belongs to another account')
  const record = requireValidator(state, sender)
  requireThat(record.tombstonedHeight === 0n, 'ValidatorTombstoned', 'a conviction is for good')
  requireThat(record.jailedUntil > 0n, 'NotJailed', 'the validator is not in jail')
  requireThat(
    height >= record.jailedUntil,
    'JailNotOver',
    `it stays until height ${record.jailedUntil}`
  )
  requireThat(
    record.bondUnits >= params.minBondUnits,
    'BondTooSmall',
    `the least bond is ${params.minBondUnits} units`
  )
  putValidator(state, params, sender, { ...record, jailedUntil: 0n })
}
