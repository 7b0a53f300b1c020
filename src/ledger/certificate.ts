/**
 * Votes and quorum certificates by weight. A quorum is floor(2W/3) + 1 of the total power W: two quorums share an
 * honest validator as long as less than a third of the power is dishonest.
 */
import { assert } from '../base/assert.ts'
import { equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { Hash } from '../base/hash.ts'
import { type SigningKey, verifySignature } from '../base/keys.ts'
import { type Certificate, VOTE_KINDS, type Vote, type VoteKind, voteType } from './types/block.ts'
import type { NetworkId } from './types/network.ts'
import type { Validator } from './types/records.ts'
import { BitArray } from './types/ssz.ts'

/** Every kind of vote has a label of its own. */
function labelOf(kind: number): string {
  return `ledger/vote/${kind}/v1`
}

/** 64-byte signature by the validator's vote key. */
export function signVote(key: SigningKey, vote: Vote): Uint8Array {
  return key.sign(labelOf(vote.kind), voteType.hashTreeRoot(vote))
}

export function verifyVote(publicKey: Uint8Array, vote: Vote, signature: Uint8Array): boolean {
  return verifySignature(publicKey, labelOf(vote.kind), voteType.hashTreeRoot(vote), signature)
}

export function totalPower(validators: readonly Validator[]): bigint {
  let sum = 0n
  for (const { power } of validators) sum += power
  return sum
}

/** Least weight of a quorum: floor(2W/3) + 1. */
export function quorumOf(power: bigint): bigint {
  assert(power > 0n, 'a validator set has power')
  return (2n * power) / 3n + 1n
}

/** Byzantine validators of equal power that a set of n tolerates: floor((n - 1) / 3). */
export function faultsTolerated(validators: number): number {
  return Math.floor((validators - 1) / 3)
}

export interface SignedBy {
  /** Position in the validator set. */
  index: number
  signature: Uint8Array
}

/** Puts votes of distinct validators together. The caller has verified them. */
export function makeCertificate(
  vote: Vote,
  validators: readonly Validator[],
  votes: readonly SignedBy[]
): Certificate {
  const sorted = [...votes].sort((a, b) => a.index - b.index)
  const bits = validators.map((_, index) => sorted.some(signed => signed.index === index))
  assert(bits.filter(bit => bit).length === sorted.length, 'votes are by distinct validators')
  return {
    kind: vote.kind,
    height: vote.height,
    view: vote.view,
    blockHash: vote.blockHash,
    signers: BitArray.fromBoolArray(bits),
    signatures: sorted.map(({ signature }) => signature)
  }
}

/** Stands for the finalization of the genesis, in the block at height 1. */
export function genesisCertificate(genesisHash: Hash): Certificate {
  return {
    kind: VOTE_KINDS.finalize,
    height: 0n,
    view: 0n,
    blockHash: genesisHash,
    signers: BitArray.fromBoolArray([]),
    signatures: []
  }
}

/**
 * Checks kind, height, signers, weight and every signature.
 * @param expected what the certificate has to be about; without blockHash any block
 * @throws HoldfastError BLOCK_INVALID
 */
export function verifyCertificate(
  cert: Certificate,
  validators: readonly Validator[],
  network: NetworkId,
  expected: { kind: VoteKind; height: bigint; blockHash?: Hash }
): void {
  const { kind, height, view, blockHash } = cert
  check(kind === expected.kind, 'is of another kind')
  check(height === expected.height, `is for height ${height}, not ${expected.height}`)
  check(view >= 1n, 'has no view')
  if (expected.blockHash !== undefined) {
    check(equal(blockHash, expected.blockHash), 'is for another block')
  }
  check(cert.signers.bitLen === validators.length, 'is of another validator set')
  const signers = validators.filter((_, index) => cert.signers.get(index))
  check(signers.length === cert.signatures.length, 'has not one signature per signer')
  check(totalPower(signers) >= quorumOf(totalPower(validators)), 'is below the quorum')
  const { chainId, genesisHash } = network
  const vote: Vote = { chainId, genesisHash, kind, height, view, blockHash }
  for (const [i, { publicKey }] of signers.entries()) {
    check(verifyVote(publicKey, vote, cert.signatures[i]!), 'has a signature that does not verify')
  }
}

function check(condition: boolean, problem: string): void {
  if (!condition) throw new HoldfastError('BLOCK_INVALID', `the certificate ${problem}`)
}
