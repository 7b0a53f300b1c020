/** Bytes <-> pieces, on one machine; no network, no money. */
export {
  createDiskPieceStore,
  type DiskPieceStore,
  type DiskPieceStoreInit,
  piecesFolder
} from './disk-piece-store.ts'
export { openStripe, type StripePlace, sealStripe } from './encrypt.ts'
export { createErasureCode, type ErasureCode } from './erasure.ts'
export {
  CONTENT_KEY_BYTES,
  createKeyring,
  descend,
  type Keyring,
  unwrapKey,
  WRAPPED_KEY_BYTES,
  wrapKey
} from './keyring.ts'
export {
  type Extent,
  isLastStripe,
  plainAt,
  type SegmentLayout,
  type StripeRange,
  segmentLayout,
  segmentsOf,
  shareAt,
  stripeRange
} from './layout.ts'
export {
  type Manifest,
  manifestCid,
  openManifest,
  type PieceEntry,
  type SegmentEntry,
  sealManifest
} from './manifest.ts'
export { createMemoryPieceStore, type MemoryPieceStoreInit } from './memory-piece-store.ts'
export { normalisePath, normalisePrefix, pathParts } from './path.ts'
export type { PieceFiles } from './piece-files.ts'
export type { RecoveryReport } from './piece-recovery.ts'
export type {
  PieceGroups,
  PieceStore,
  PieceUsage,
  StagedPiece,
  StoredPiece
} from './piece-store.ts'
export {
  checkProfile,
  DEFAULT_PROFILE,
  formatProfile,
  PROFILES,
  type Profile,
  parseProfile,
  shareBytesOf
} from './profile.ts'
export { cutSegments } from './segment.ts'
export {
  createSegmentDecoder,
  type SegmentDecoder,
  type SegmentDecoderInit
} from './segment-decoder.ts'
export {
  createSegmentEncoder,
  type SegmentEncoder,
  type SegmentEncoderInit
} from './segment-encoder.ts'
