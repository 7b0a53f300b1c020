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
export { openingEscrowUnits, storageUnits, topUpUnits } from './price.ts'
export { type Quote, quoteStorage } from './quote.ts'
export { openReceipt, RECEIPT_BYTES_MAX, type Receipt, signReceipt } from './receipt.ts'
export {
  type Candidate,
  type Selection,
  type SelectionPolicy,
  selectProviders
} from './select.ts'
export { assertTermsFit, type TermsContext } from './terms.ts'
