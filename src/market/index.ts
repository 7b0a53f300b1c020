export {
  ASK_BYTES_MAX,
  type Ask,
  assertAskCurrent,
  encodeAsk,
  openAsk,
  type SignedAsk,
  signAsk,
  TAG_BYTES_MAX
} from './ask.ts'
export {
  type Code,
  type Durability,
  durabilityOf,
  lossOf,
  NINES_MAX,
  NINES_WANTED,
  ninesOf,
  type Rates,
  repairThreshold
} from './durability.ts'
export { type Lifetime, ninesOfObject, ratesOf, repairTime } from './durability-rates.ts'
export {
  assertWithinBudget,
  type Candidate,
  type ClientPolicy,
  fitsOperatorShare,
  OPEN_POLICY,
  operatorPiecesMax,
  type PolicyRule,
  periodUnits,
  type Rejection,
  readUnitsMax,
  type SelectionPolicy,
  tooFewProviders
} from './policy.ts'
export { egressUnits, openingEscrowUnits, storageUnits, topUpUnits } from './price.ts'
export { type Quote, quoteStorage } from './quote.ts'
export { openReceipt, RECEIPT_BYTES_MAX, type Receipt, signReceipt } from './receipt.ts'
export {
  nextPriceUnits,
  type PriceRange,
  perMilleOf,
  REPRICE_STEP_PER_MILLE,
  type Repricing
} from './reprice.ts'
export {
  type LedgerFacts,
  ledgerScore,
  type Measurements,
  measuredScore,
  NO_MEASUREMENTS,
  REPUTATION_MAX,
  REPUTATION_NEWCOMER,
  reputationOf,
  selfDealingCost
} from './reputation.ts'
export { type Selection, selectProviders } from './select.ts'
export { assertTermsFit, type TermsContext } from './terms.ts'
export {
  type ChannelFacts,
  channelFacts,
  type RetrievalTerms,
  retrievalUnits,
  type SignedVoucher
} from './voucher.ts'
export {
  accept,
  claimUnits,
  mayServe,
  openPayeeBook,
  type PayeeBook,
  type RedeemPolicy,
  redeemDue,
  refreshPayee,
  served
} from './voucher-payee.ts'
export {
  depositShortfall,
  openPayerBook,
  type PayerBook,
  promise,
  received,
  refreshPayer,
  restorePayerBook
} from './voucher-payer.ts'
