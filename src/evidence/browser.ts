/**
 * Evidence that anybody can check, anywhere: everything below runs in Node and, bundled, in a browser. Hashes and
 * signatures are node:crypto's where there is one, else @noble's.
 */
export { decodeBundle, EVIDENCE_BYTES_MAX, type EvidenceBundle } from './bundle.ts'
export type {
  ContentsEvidence,
  DealEvidence,
  EvidenceReport,
  ObjectEvidence
} from './types.ts'
export { type VerifyEvidenceInit, verifyEvidence } from './verify.ts'
