/** How a transaction that paid its fee can end. The index is the code on the wire: append only. */

export const OUTCOMES = [
  'ok',
  'UnknownKind',
  'PayloadInvalid',
  'SignatureInvalid',
  'WrongNetwork',
  'InsufficientFunds',
  'InsufficientEscrow',
  'AmountInvalid',
  'ProviderUnknown',
  'PeerKeyTaken',
  'TooManyDeals',
  'DealUnknown',
  'DealExists',
  'DealClosed',
  'DealOver',
  'DealNotOver',
  'TermsExpired',
  'TermsTooLong',
  'NotAParty',
  'RevisionStale',
  'RevisionInvalid',
  'ProofOutsideWindow',
  'ProofRepeated',
  'ProofNotDue',
  'ProofIncomplete',
  'ProofInvalid',
  'ValidatorUnknown',
  'ValidatorExists',
  'ValidatorTombstoned',
  'ValidatorKeyTaken',
  'BondTooSmall',
  'RosterFull',
  'TooManyUnbondings',
  'NothingToWithdraw',
  'NotJailed',
  'JailNotOver',
  'BlockBudgetSpent',
  'EvidenceInvalid',
  'EvidenceExpired',
  'EvidenceRepeated',
  'NotAValidator',
  'ParamInvalid',
  'ProposalUnknown',
  'ProposalExpired',
  'VoteRepeated',
  'TooManyScheduled',
  'DealFailed',
  'DealAbandoned',
  'DealNotAbandoned',
  'DealEnding',
  'BountyNotOver',
  'MaintenanceInvalid',
  'MaintenanceUsedUp',
  'ChannelUnknown',
  'ChannelExists',
  'ChannelExpired',
  'ChannelTooLong',
  'ChannelNotOver',
  'VoucherStale',
  'VoucherUnbacked'
] as const

export type Outcome = (typeof OUTCOMES)[number]
export type FailureName = Exclude<Outcome, 'ok'>

/** Thrown by rules; the machine rolls the transaction's effects back and records the name. */
export class TxFailure extends Error {
  override readonly name = 'TxFailure'
  readonly failure: FailureName

  constructor(failure: FailureName, message: string) {
    super(message)
    this.failure = failure
  }
}

export function fail(failure: FailureName, message: string): never {
  throw new TxFailure(failure, message)
}

export function requireThat(
  condition: boolean,
  failure: FailureName,
  message: string
): asserts condition {
  if (!condition) fail(failure, message)
}

export function codeOf(outcome: Outcome): number {
  return OUTCOMES.indexOf(outcome)
}

/** The name of a code; PayloadInvalid and its like are stable, so tools may compare them. */
export function outcomeOf(code: number): Outcome {
  return OUTCOMES[code] ?? 'UnknownKind'
}
