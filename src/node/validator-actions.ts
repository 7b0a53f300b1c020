/** What the owner of a validator does on the ledger: bonds, unjails, and votes on parameters. */
import { accountOfAddress, addressOf } from '../base/address.ts'
import { fromHex, toHex } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { Units } from '../base/money.ts'
import type { KeySet } from '../base/seed.ts'
import {
  beaconKeyFromSecret,
  GOVERNED_PARAMS,
  type GovernedParam,
  type ParamChange,
  paramChangeOf,
  signValidatorBinding,
  type TxBody
} from '../ledger/index.ts'
import type { ChainContext } from './chain/context.ts'
import type {
  GovernanceView,
  ParamValue,
  TxRow,
  ValidatorAction,
  ValidatorStatus
} from './control/types.ts'

/** Heights a proposal can be voted for, unless its maker says otherwise. */
const PROPOSAL_HEIGHTS_DEFAULT = 1_000

export interface ActionContext {
  chain: ChainContext
  keys: KeySet
}

/** @throws HoldfastError what the ledger refuses it with */
export async function actAsValidator(
  context: ActionContext,
  action: ValidatorAction,
  units?: Units
): Promise<TxRow> {
  return sendTx(context.chain, bodyOf(context, action, units))
}

function bodyOf(context: ActionContext, action: ValidatorAction, units?: Units): TxBody {
  const { chain } = context
  const account = chain.wallet.publicKey
  switch (action) {
    case 'register':
      return registration(context, amount(units))
    case 'bond':
      return { kind: 'validatorBond', payload: { units: amount(units) } }
    case 'unbond':
      return { kind: 'validatorUnbond', payload: { units: amount(units) } }
    case 'withdraw':
      return { kind: 'validatorWithdraw', payload: { account } }
    case 'unjail':
      return { kind: 'validatorUnjail', payload: { account } }
  }
}

function amount(units: Units | undefined): Units {
  if (units !== undefined) return units
  throw new HoldfastError('INVALID_ARGUMENT', 'this needs an amount of tokens')
}

function registration({ chain, keys }: ActionContext, bondUnits: Units): TxBody {
  const voteKey = keys.validator.publicKey
  const beacon = beaconKeyFromSecret(keys.beaconSecret)
  const beaconKey = beacon.publicKey
  const binding = { ...chain.network, account: chain.wallet.publicKey, voteKey, beaconKey }
  const payload = {
    voteKey,
    voteSignature: signValidatorBinding(keys.validator, binding),
    beaconKey,
    beaconProof: beacon.provePossession(binding),
    bondUnits
  }
  return { kind: 'validatorRegister', payload }
}

/** @throws HoldfastError NOT_FOUND when this wallet owns no validator */
export function validatorStatus({ replica, wallet }: ChainContext): ValidatorStatus {
  const account = wallet.publicKey
  const record = replica.validator(account)
  if (record === undefined) {
    throw new HoldfastError('NOT_FOUND', 'this wallet owns no validator', {
      hint: 'register one with `holdfast validator register <tokens>`'
    })
  }
  const member = replica.validators().find(({ publicKey }) => isEqual(publicKey, record.voteKey))
  return {
    address: addressOf(account),
    publicKey: toHex(record.voteKey),
    bondUnits: record.bondUnits,
    unbonding: record.unbonding.map(({ units, releaseHeight }) => ({
      units,
      releaseHeight: releaseHeight === 0n ? null : Number(releaseHeight)
    })),
    power: member === undefined ? 0 : Number(member.power),
    state: stateOf(record, member !== undefined),
    jailedUntil: record.jailedUntil === 0n ? null : Number(record.jailedUntil)
  }
}

function stateOf(
  record: { tombstonedHeight: bigint; jailedUntil: bigint; rostered: number },
  isMember: boolean
): ValidatorStatus['state'] {
  if (record.tombstonedHeight > 0n) return 'convicted'
  if (record.jailedUntil > 0n) return 'jailed'
  if (isMember) return 'active'
  return record.rostered === 1 ? 'waiting' : 'unbonded'
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return toHex(a) === toHex(b)
}

/** The parameters in force, proposals that can be voted for, and changes that wait for their epoch. */
export function governance({ replica }: ChainContext): GovernanceView {
  const { params } = replica
  const proposals = replica.validators().flatMap(({ account }) => {
    const found = replica.proposal(account)
    if (found === undefined || found.expiryHeight <= replica.height) return []
    return [
      {
        id: toHex(found.id),
        proposer: addressOf(account),
        expiryHeight: Number(found.expiryHeight),
        changes: found.changes.map(paramValue),
        votes: found.votes.map(addressOf)
      }
    ]
  })
  return {
    params: GOVERNED_PARAMS.map(name => ({ name, value: `${params[name]}` })),
    proposals,
    scheduled: replica.scheduledChanges().map(({ height, changes }) => ({
      height: Number(height),
      changes: changes.map(paramValue)
    }))
  }
}

function paramValue({ param, value }: ParamChange): ParamValue {
  return { name: GOVERNED_PARAMS[param] ?? `${param}`, value: `${value}` }
}

/** @throws HoldfastError INVALID_ARGUMENT for a parameter that cannot be voted on; TX_REJECTED */
export async function propose(
  chain: ChainContext,
  changes: readonly ParamValue[],
  heights: number = PROPOSAL_HEIGHTS_DEFAULT
): Promise<TxRow> {
  const payload = {
    changes: changes.map(({ name, value }) => paramChangeOf(governed(name), BigInt(value))),
    expiryHeight: chain.replica.height + BigInt(heights)
  }
  return sendTx(chain, { kind: 'govPropose', payload })
}

function governed(name: string): GovernedParam {
  const found = GOVERNED_PARAMS.find(known => known === name)
  if (found !== undefined) return found
  throw new HoldfastError('INVALID_ARGUMENT', `${name} is no parameter that can be voted on`, {
    hint: `these are: ${GOVERNED_PARAMS.join(', ')}`
  })
}

/** @throws HoldfastError TX_REJECTED when the proposal is another by now, or over */
export async function voteFor(chain: ChainContext, proposer: string, id: string): Promise<TxRow> {
  const payload = { proposer: accountOfAddress(proposer), proposalId: fromHex(id) }
  return sendTx(chain, { kind: 'govVote', payload })
}

async function sendTx({ sender }: ChainContext, body: TxBody): Promise<TxRow> {
  const { hash, height } = await sender.send(body)
  return { tx: toHex(hash), height: Number(height) }
}
