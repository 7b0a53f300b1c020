/**
 * What client and provider sign off-ledger: the terms that open a deal, the revisions that change its contents and the
 * extensions that move its end. All are SSZ containers signed by the wallet keys under their own labels.
 */
import { domainHash, type Hash } from '../../base/hash.ts'
import { type SigningKey, verifySignature } from '../../base/keys.ts'
import type { Units } from '../../base/money.ts'
import { chainIdType } from './network.ts'
import { bytes32, container, type Ssz, u64 } from './ssz.ts'

export interface DealTerms {
  chainId: string
  /** 32-byte account of the client. */
  client: Uint8Array
  /** 32-byte account of the provider. */
  provider: Uint8Array
  /** Units per GiB and proven period; see `periodPriceUnits` for the rounding. */
  priceUnitsPerGiBPeriod: Units
  escrowUnits: Units
  collateralUnits: Units
  /** The deal cannot be opened above this height. */
  startHeightMax: bigint
  /** Last period that is proven and paid. */
  endPeriod: bigint
  /** Chosen by the client: tells otherwise equal deals apart. */
  openNonce: bigint
}

export const dealTermsType: Ssz<DealTerms> = container<DealTerms>('DealTerms', {
  chainId: chainIdType,
  client: bytes32,
  provider: bytes32,
  priceUnitsPerGiBPeriod: u64,
  escrowUnits: u64,
  collateralUnits: u64,
  startHeightMax: u64,
  endPeriod: u64,
  openNonce: u64
})

export interface Revision {
  chainId: string
  dealId: Uint8Array
  /** 1 for the first; only a greater number replaces. */
  revision: bigint
  /** 32-byte root of the deal's sum tree. */
  root: Uint8Array
  /** Leaves under the root. */
  leaves: bigint
  /** Piece bytes under the root. */
  bytes: bigint
}

export const revisionType: Ssz<Revision> = container<Revision>('Revision', {
  chainId: chainIdType,
  dealId: bytes32,
  revision: u64,
  root: bytes32,
  leaves: u64,
  bytes: u64
})

/** New end and more escrow for a running deal; the price stays. */
export interface Extension {
  chainId: string
  dealId: Uint8Array
  /** Greater than the one before, so nothing is extended twice by it. */
  endPeriod: bigint
  /** Added by the client. */
  escrowUnits: Units
  /** Not accepted above this height. */
  acceptHeightMax: bigint
}

export const extensionType: Ssz<Extension> = container<Extension>('Extension', {
  chainId: chainIdType,
  dealId: bytes32,
  endPeriod: u64,
  escrowUnits: u64,
  acceptHeightMax: u64
})

const TERMS_LABEL = 'ledger/deal-terms/v1'
const REVISION_LABEL = 'ledger/deal-revision/v1'
const EXTENSION_LABEL = 'ledger/deal-extension/v1'

/** 32-byte id of the deal that these terms open. */
export function dealIdOf(terms: DealTerms): Hash {
  return domainHash('ledger/deal-id/v1', dealTermsType.hashTreeRoot(terms))
}

/** 64-byte signature by the wallet key of either side. */
export function signTerms(key: SigningKey, terms: DealTerms): Uint8Array {
  return key.sign(TERMS_LABEL, dealTermsType.hashTreeRoot(terms))
}

export function verifyTerms(
  publicKey: Uint8Array,
  terms: DealTerms,
  signature: Uint8Array
): boolean {
  return verifySignature(publicKey, TERMS_LABEL, dealTermsType.hashTreeRoot(terms), signature)
}

/** 64-byte signature by the wallet key of either side. */
export function signRevision(key: SigningKey, revision: Revision): Uint8Array {
  return key.sign(REVISION_LABEL, revisionType.hashTreeRoot(revision))
}

export function verifyRevision(
  publicKey: Uint8Array,
  revision: Revision,
  signature: Uint8Array
): boolean {
  return verifySignature(publicKey, REVISION_LABEL, revisionType.hashTreeRoot(revision), signature)
}

/** 64-byte signature by the wallet key of either side. */
export function signExtension(key: SigningKey, extension: Extension): Uint8Array {
  return key.sign(EXTENSION_LABEL, extensionType.hashTreeRoot(extension))
}

export function verifyExtension(
  publicKey: Uint8Array,
  extension: Extension,
  signature: Uint8Array
): boolean {
  const root = extensionType.hashTreeRoot(extension)
  return verifySignature(publicKey, EXTENSION_LABEL, root, signature)
}
