/** Signing and verifying proposals and votes with real keys, bound to one network. */
import { equal } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import { type Hash, ZERO_HASH } from '../../base/hash.ts'
import { type SigningKey, verifySignature } from '../../base/keys.ts'
import { blockHashOf, decodeBlock, txRootOf } from '../block.ts'
import { verifyCertificate, verifyVote } from '../certificate.ts'
import {
  type Certificate,
  certificateType,
  VOTE_KINDS,
  type Vote,
  type VoteKind
} from '../types/block.ts'
import type { NetworkId } from '../types/network.ts'
import type { Validator } from '../types/records.ts'
import { proposalType, type SignedProposal, type SignedVote, type Verifier } from './types.ts'

const PROPOSAL_LABEL = 'ledger/proposal/v1'

/** The signed part of a proposal. */
export type UnsignedProposal = Pick<SignedProposal, 'height' | 'view' | 'blockHash' | 'base'>
/** The signed part of a vote. */
export type UnsignedVote = Pick<SignedVote, 'kind' | 'height' | 'view' | 'blockHash'>

function proposalRoot(network: NetworkId, proposal: UnsignedProposal): Uint8Array {
  const { chainId, genesisHash } = network
  const { height, view, blockHash, base } = proposal
  return proposalType.hashTreeRoot({ chainId, genesisHash, height, view, blockHash, base })
}

/** What a validator signs when it votes. */
export function voteOf(network: NetworkId, vote: UnsignedVote): Vote {
  const { chainId, genesisHash } = network
  const { kind, height, view, blockHash } = vote
  return { chainId, genesisHash, kind, height, view, blockHash }
}

/** 64-byte signature by the leader's vote key. */
export function signProposal(
  key: SigningKey,
  network: NetworkId,
  proposal: UnsignedProposal
): Uint8Array {
  return key.sign(PROPOSAL_LABEL, proposalRoot(network, proposal))
}

export function verifyProposal(
  publicKey: Uint8Array,
  network: NetworkId,
  proposal: UnsignedProposal & { signature: Uint8Array }
): boolean {
  const root = proposalRoot(network, proposal)
  return verifySignature(publicKey, PROPOSAL_LABEL, root, proposal.signature)
}

export function realVerifier(network: NetworkId): Verifier {
  return {
    vote: (publicKey, vote) => verifyVote(publicKey, voteOf(network, vote), vote.signature),
    proposal: (publicKey, proposal) => verifyProposal(publicKey, network, proposal),
    certificate: (cert, validators) => isCertificate(cert, validators, network),
    block: hashOfEncoded
  }
}

function isCertificate(
  cert: Certificate,
  validators: readonly Validator[],
  network: NetworkId
): boolean {
  const { height } = cert
  const kind = Object.values(VOTE_KINDS).find(known => known === cert.kind)
  if (kind === undefined || !isHashOfKind(kind, cert.blockHash)) return false
  const verified = holds(() => {
    verifyCertificate(cert, validators, network, { kind, height })
    return true
  })
  return verified ?? false
}

/** Only a nullification is about no block. */
function isHashOfKind(kind: VoteKind, blockHash: Uint8Array): boolean {
  return equal(blockHash, ZERO_HASH) === (kind === VOTE_KINDS.nullify)
}

/** The hash covers the header only: a body with other transactions must not pass for the block. */
function hashOfEncoded(bytes: Uint8Array): Hash | undefined {
  const block = holds(() => decodeBlock(bytes))
  if (block === undefined) return undefined
  const { header, lastCert, txs } = block
  if (!equal(header.txRoot, txRootOf(txs))) return undefined
  if (!equal(header.lastCertRoot, certificateType.hashTreeRoot(lastCert))) return undefined
  return blockHashOf(header)
}

/** The result, or undefined where the check says BLOCK_INVALID. */
function holds<T>(check: () => T): T | undefined {
  try {
    return check()
  } catch (error) {
    if (HoldfastError.is(error, 'BLOCK_INVALID')) return undefined
    throw error
  }
}
