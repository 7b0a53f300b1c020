/** Bytes <-> pieces, on one machine; no network, no money. */
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
export type { DiskInit } from './piece-log/disks.ts'
export type { LogRange } from './piece-log/log-replay.ts'
export { createPacer, type Pacer, type PacerInit, unpaced } from './piece-log/pacer.ts'
export { createDiskPieceStore, type DiskPieceStore } from './piece-log/piece-log-store.ts'
export type { RecoveryReport } from './piece-log/recovery.ts'
export type { DiskPieceStoreInit, StoreLimits } from './piece-log/store-parts.ts'
export type {
  PieceGroups,
  PieceStore,
  PieceUsage,
  ScrubInit,
  ScrubProgress,
  StagedPiece,
  StoredPiece,
  SweepReport
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
export {
  cidOfDigest,
  dealsOf,
  decodeRepairMap,
  digestOfRepairMapCid,
  encodeRepairMap,
  type MapPiece,
  type MapSegment,
  REPAIR_MAP_BYTES_MAX,
  type RepairMap,
  repairMapCid
} from './repair-map.ts'
export { cutSegments } from './segment.ts'
export {
  createSegmentDecoder,
  type SegmentDecoder,
  type SegmentDecoderInit
} from './segment-decoder.ts'
export {
  arenaBytes,
  createSegmentEncoder,
  piecesIn,
  type SegmentEncoder,
  type SegmentEncoderInit
} from './segment-encoder.ts'
