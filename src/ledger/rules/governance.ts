/**
 * govPropose and govVote: validators change parameters. A change needs a quorum of the power in force and then waits
 * two whole epochs, so that everybody sees it come. A validator has one open proposal; a new one takes its place.
 *
 * Money flows: none.
 */
import { equal } from '../../base/bytes.ts'
import { domainHash } from '../../base/hash.ts'
import { quorumOf, totalPower } from '../certificate.ts'
import { changedParams } from '../governed-params.ts'
import type { TxContext } from '../machine/context.ts'
import { fail, requireThat } from '../machine/outcomes.ts'
import { memberOf } from '../machine/validator-sets.ts'
import { ONLY, proposals, scheduled, validators } from '../state/tables.ts'
import type { Validator } from '../types/records.ts'
import { bytes32, container, type Ssz, u64 } from '../types/ssz.ts'
import { type ProposalRecord, SCHEDULED_MAX } from '../types/validator.ts'
import { type GovPropose, type GovVote, govProposeType } from '../types/validator-tx.ts'

const ACTIVATION_EPOCHS = 2n

interface ProposalName {
  proposer: Uint8Array
  height: bigint
  body: GovPropose
}

export const proposalNameType: Ssz<ProposalName> = container<ProposalName>('ProposalName', {
  proposer: bytes32,
  height: u64,
  body: govProposeType
})

/** 32-byte name of a proposal: by whom, in the block of which height, of what. */
export function proposalIdOf(proposer: Uint8Array, height: bigint, body: GovPropose): Uint8Array {
  const name = { proposer, height, body }
  return domainHash('ledger/gov-proposal/v1', proposalNameType.hashTreeRoot(name))
}

/** The proposer's own vote is in it. */
export function applyGovPropose(ctx: TxContext, payload: GovPropose): void {
  const { state, params, sender, height } = ctx
  const { changes, expiryHeight } = payload
  requireMember(ctx)
  requireThat(expiryHeight >= height, 'ProposalExpired', 'it would be over before it begins')
  const result = changedParams(params, changes)
  if ('problem' in result) fail('ParamInvalid', result.problem)
  const id = proposalIdOf(sender, height, payload)
  const record: ProposalRecord = { id, expiryHeight, changes, votes: [] }
  const before = state.get(proposals, sender)
  requireThat(before === undefined || !equal(before.id, id), 'VoteRepeated', 'it is open already')
  count(ctx, sender, record)
}

export function applyGovVote(ctx: TxContext, { proposer, proposalId }: GovVote): void {
  requireMember(ctx)
  const record = ctx.state.get(proposals, proposer)
  requireThat(
    record !== undefined && equal(record.id, proposalId),
    'ProposalUnknown',
    'there is no such open proposal'
  )
  requireThat(ctx.height <= record.expiryHeight, 'ProposalExpired', 'its time is over')
  requireThat(
    !record.votes.some(account => equal(account, ctx.sender)),
    'VoteRepeated',
    'the validator is for it already'
  )
  count(ctx, proposer, record)
}

/** Adds the sender's vote; accepts at a quorum. Votes of those who have left the set are dropped. */
function count(ctx: TxContext, proposer: Uint8Array, record: ProposalRecord): void {
  const { state, sender } = ctx
  const set = setInForce(ctx)
  const votes = [...record.votes, sender].filter(account => memberOf(set, account) !== undefined)
  const power = totalPower(votes.map(account => memberOf(set, account)!))
  if (power < quorumOf(totalPower(set))) {
    state.put(proposals, proposer, { ...record, votes })
    return
  }
  schedule(ctx, record)
  state.delete(proposals, proposer)
}

function schedule({ state, params, height }: TxContext, { changes }: ProposalRecord): void {
  const waiting = state.get(scheduled, ONLY) ?? []
  requireThat(
    waiting.length < SCHEDULED_MAX,
    'TooManyScheduled',
    `${SCHEDULED_MAX} changes wait already`
  )
  const epoch = BigInt(params.epochHeights)
  const epochEnd = ((height + epoch - 1n) / epoch) * epoch
  const activation = epochEnd + ACTIVATION_EPOCHS * epoch
  state.put(scheduled, ONLY, [...waiting, { height: activation, changes }])
}

function requireMember(ctx: TxContext): void {
  requireThat(
    memberOf(setInForce(ctx), ctx.sender) !== undefined,
    'NotAValidator',
    'only validators of the set in force vote'
  )
}

function setInForce({ state }: TxContext): readonly Validator[] {
  return state.get(validators, ONLY)!
}
