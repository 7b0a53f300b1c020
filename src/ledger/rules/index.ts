/** One rule per kind of transaction, in the order of TX_KINDS. */
import { HoldfastError } from '../../base/errors.ts'
import type { TxContext } from '../machine/context.ts'
import { fail } from '../machine/outcomes.ts'
import {
  channelOpenType,
  channelRedeemType,
  channelRefType,
  channelTopUpType
} from '../types/channel.ts'
import { proofPayloadType } from '../types/proof.ts'
import { decodeStrict, type Ssz } from '../types/ssz.ts'
import {
  dealExtendType,
  dealOpenType,
  dealRefType,
  dealReviseType,
  dealTopUpType,
  providerMaintenanceType,
  providerRegisterType,
  TX_KINDS,
  type TxKindName,
  transferType
} from '../types/tx.ts'
import {
  bondAmountType,
  evidenceType,
  govProposeType,
  govVoteType,
  validatorRefType,
  validatorRegisterType
} from '../types/validator-tx.ts'
import { applyBond, applyUnbond, applyWithdraw } from './bond.ts'
import {
  applyChannelClose,
  applyChannelOpen,
  applyChannelRedeem,
  applyChannelTopUp
} from './channel.ts'
import { applyDealOpen, applyDealTopUp } from './deal.ts'
import { applyDealClose, applyDealFail, applyDealTerminate } from './ending.ts'
import { applyEvidence } from './evidence.ts'
import { applyDealExtend } from './extension.ts'
import { applyGovPropose, applyGovVote } from './governance.ts'
import { applyProof } from './proof.ts'
import { applyProviderMaintenance, applyProviderRegister } from './provider.ts'
import { applyDealRevise } from './revision.ts'
import { applyDealSettle } from './settlement.ts'
import { applyTransfer } from './transfer.ts'
import { applyRegister, applyUnjail } from './validator.ts'

type Rule = (ctx: TxContext, payload: Uint8Array) => void

function rule<T>(type: Ssz<T>, apply: (ctx: TxContext, payload: T) => void): Rule {
  return (ctx, payload) => apply(ctx, decodePayload(type, payload))
}

const RULES: Record<TxKindName, Rule> = {
  transfer: rule(transferType, applyTransfer),
  providerRegister: rule(providerRegisterType, applyProviderRegister),
  dealOpen: rule(dealOpenType, applyDealOpen),
  dealTopUp: rule(dealTopUpType, applyDealTopUp),
  dealRevise: rule(dealReviseType, applyDealRevise),
  dealSettle: rule(dealRefType, applyDealSettle),
  dealClose: rule(dealRefType, applyDealClose),
  proof: rule(proofPayloadType, applyProof),
  validatorRegister: rule(validatorRegisterType, applyRegister),
  validatorBond: rule(bondAmountType, applyBond),
  validatorUnbond: rule(bondAmountType, applyUnbond),
  validatorWithdraw: rule(validatorRefType, applyWithdraw),
  validatorUnjail: rule(validatorRefType, applyUnjail),
  evidence: rule(evidenceType, applyEvidence),
  govPropose: rule(govProposeType, applyGovPropose),
  govVote: rule(govVoteType, applyGovVote),
  providerMaintenance: rule(providerMaintenanceType, applyProviderMaintenance),
  dealExtend: rule(dealExtendType, applyDealExtend),
  dealTerminate: rule(dealRefType, applyDealTerminate),
  dealFail: rule(dealRefType, applyDealFail),
  channelOpen: rule(channelOpenType, applyChannelOpen),
  channelTopUp: rule(channelTopUpType, applyChannelTopUp),
  channelRedeem: rule(channelRedeemType, applyChannelRedeem),
  channelClose: rule(channelRefType, applyChannelClose)
}

/** @throws TxFailure whatever the rule refuses */
export function applyRule(ctx: TxContext, kind: number, payload: Uint8Array): void {
  const name = TX_KINDS[kind]
  if (name === undefined) fail('UnknownKind', `no transaction kind ${kind}`)
  RULES[name](ctx, payload)
}

function decodePayload<T>(type: Ssz<T>, bytes: Uint8Array): T {
  try {
    return decodeStrict(type, bytes, 'payload', 'TX_INVALID')
  } catch (error) {
    if (HoldfastError.is(error)) fail('PayloadInvalid', error.message)
    throw error
  }
}
