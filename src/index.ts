/**
 * Holdfast as a library.
 * @packageDocumentation
 */
export { type ErrorCode, HoldfastError } from './base/errors.ts'
export type { Logger } from './base/ports.ts'
export { deriveKeys, type KeySet, normalisePhrase, phraseFromEntropy } from './base/seed.ts'
export {
  type EvidenceReport,
  type VerifyEvidenceInit,
  verifyEvidence
} from './evidence/index.ts'
export type { Config, NodeInit, Role } from './node/config.ts'
export type * from './node/control/ledger-types.ts'
export type * from './node/control/types.ts'
export {
  type CreateClientInit,
  createClient,
  type OpenNodeInit,
  openNode
} from './node/library.ts'
export {
  type LightFacts,
  type LightLedger,
  type LightLedgerInit,
  openLightLedger
} from './node/light/light-ledger.ts'
export { createNode, type HoldfastNode } from './node/node.ts'
