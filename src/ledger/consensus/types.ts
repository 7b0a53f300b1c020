/**
 * Consensus as data: what validators sign, what they send each other, and what goes into and comes out of the core.
 *
 * The protocol is Simplex (Chan and Pass, https://eprint.iacr.org/2023/463) with one instance per height: the block
 * of a height is the first one notarized in a view that was not nullified, and later views carry it unchanged.
 */
import type { Hash } from '../../base/hash.ts'
import { SIGNATURE_BYTES } from '../../base/keys.ts'
import type { Certificate } from '../types/block.ts'
import { chainIdType, type NetworkId } from '../types/network.ts'
import type { Validator } from '../types/records.ts'
import { type BitArray, bytes32, bytesOf, container, type Ssz, u8, u16, u64 } from '../types/ssz.ts'

/** What the leader of a view signs. */
export interface Proposal extends NetworkId {
  height: bigint
  view: bigint
  blockHash: Uint8Array
  /** View whose notarization is carried; 0 for a fresh block. */
  base: bigint
}

export const proposalType: Ssz<Proposal> = container<Proposal>('Proposal', {
  chainId: chainIdType,
  genesisHash: bytes32,
  height: u64,
  view: u64,
  blockHash: bytes32,
  base: u64
})

/** A proposal on its way, with what lets everybody accept it. */
export interface SignedProposal {
  height: bigint
  view: bigint
  blockHash: Uint8Array
  base: bigint
  /** 64 bytes, by the leader of the view. */
  signature: Uint8Array
  /** Notarization of `base` and nullifications of every view between. */
  justify: Certificate[]
  /** Encoded block when fresh and sent by its leader; empty when carried or relayed: whoever lacks it asks. */
  block: Uint8Array
}

/** One validator's vote on its way. The network is in the signed bytes. */
export interface SignedVote {
  kind: number
  height: bigint
  view: bigint
  /** 32 bytes; zero for nullify. */
  blockHash: Uint8Array
  /** Position in the set of the height. */
  validator: number
  /** 64 bytes. */
  signature: Uint8Array
}

export const signedVoteType: Ssz<SignedVote> = container<SignedVote>('SignedVote', {
  kind: u8,
  height: u64,
  view: u64,
  blockHash: bytes32,
  validator: u16,
  signature: bytesOf(SIGNATURE_BYTES)
})

/** What a validator that stands still asks for. */
export interface Need {
  height: bigint
  /** Its open view. */
  view: bigint
  /**
   * Bit i: it lacks what view `view - 1 - i` needs to justify a proposal (its certificate). At most NEED_VIEWS_MAX
   * bits.
   */
  lacking: BitArray
  /** Hashes of blocks that it lacks. */
  blocks: Uint8Array[]
}

/** An answer to Need, and what a validator that stands still tells on its own: bounded by HAVE_BYTES_MAX. */
export interface Have {
  height: bigint
  certs: Certificate[]
  votes: SignedVote[]
  proposals: SignedProposal[]
  /** Encoded blocks. */
  blocks: Uint8Array[]
}

export type Message =
  | { type: 'proposal'; proposal: SignedProposal }
  | { type: 'vote'; vote: SignedVote }
  | { type: 'need'; need: Need }
  | { type: 'have'; have: Have }

/** Whom a message came from; opaque to the core, which only hands it back. */
export type Sender = string

/** `leader`: the view has no proposal yet. `view`: it is still open. `repeat`: time to ask and tell again (R8). */
export type TimerKind = 'leader' | 'view' | 'repeat'

/** What happens to a height. */
export type Input =
  | { type: 'start' }
  | { type: 'message'; from: Sender; message: Message }
  | { type: 'timeout'; timer: TimerKind; view: bigint }
  /** Answers `build`: our own fresh block. */
  | { type: 'built'; view: bigint; blockHash: Hash; block: Uint8Array }
  /** Answers `check`. */
  | { type: 'checked'; view: bigint; blockHash: Hash; valid: boolean }
  /** Answers `sign-proposal` and `sign-vote`: signed, its record in the frame that is flushed before it leaves. */
  | { type: 'proposal-signed'; proposal: SignedProposal }
  | { type: 'vote-signed'; vote: SignedVote }

/** What the driver has to do, in this order, one after the other. */
export type Effect =
  /** Durable before any later effect of the same or a later step leaves the process. */
  | { type: 'persist-block'; blockHash: Hash; block: Uint8Array }
  | { type: 'persist-cert'; cert: Certificate }
  /** Ask the app for a fresh block for this view; answered by `built`. */
  | { type: 'build'; view: bigint }
  /** Ask the app whether a fresh block may be voted for; answered by `checked`. */
  | { type: 'check'; view: bigint; blockHash: Hash; block: Uint8Array }
  /** Journal, sign, and answer; the signer may refuse, then there is no answer. */
  | { type: 'sign-proposal'; proposal: Omit<SignedProposal, 'signature'> }
  | { type: 'sign-vote'; vote: Omit<SignedVote, 'signature' | 'validator'> }
  /** To every validator, or to one peer. */
  | { type: 'send'; to: Sender | 'validators'; message: Message }
  /** To a few random peers. */
  | { type: 'ask'; need: Need; have: Have }
  | { type: 'set-timer'; timer: TimerKind; view: bigint; afterMs: number }
  /** The height is decided; the core takes no more input for it but late messages (R9 is the driver's). */
  | { type: 'decide'; blockHash: Hash; block: Uint8Array; cert: Certificate }
  | { type: 'evidence'; evidence: Misbehaviour }
  /** The peer sent what no correct peer sends. */
  | { type: 'misbehaved'; from: Sender; reason: string }

/** Two signed statements of one validator that no correct validator makes both. */
export type Misbehaviour =
  | { type: 'votes'; first: SignedVote; second: SignedVote }
  | { type: 'proposals'; first: SignedProposal; second: SignedProposal }

/** Checks signatures and hashes; a function of its arguments only. The simulator puts a cheap one in its place. */
export interface Verifier {
  vote(publicKey: Uint8Array, vote: SignedVote): boolean
  proposal(publicKey: Uint8Array, proposal: SignedProposal): boolean
  /** Signers, weight and every signature, whatever the kind. */
  certificate(cert: Certificate, validators: readonly Validator[]): boolean
  /**
   * Hash of an encoded block whose transactions and certificate are those of its header; undefined when they are not.
   */
  block(block: Uint8Array): Hash | undefined
}

export interface Timeouts {
  /** T_leader of view 1; grows by half per view. @default 300 */
  leaderMs: number
  /** Longest T_leader. @default 60_000 */
  leaderMsMax: number
  /** Between repeats of a view that stands still. @default 1_000 */
  repeatMs: number
}

/** What a validator remembers of an open height: durable before anything that follows from it left. */
export interface Restored {
  certs: Certificate[]
  /** Encoded blocks by their hash. */
  blocks: { blockHash: Hash; block: Uint8Array }[]
  votes: SignedVote[]
  proposals: SignedProposal[]
}

export interface HeightInit {
  network: NetworkId
  height: bigint
  /** The set in force at this height. */
  validators: readonly Validator[]
  /** Beacon mix after the block below, 32 bytes. */
  mix: Uint8Array
  /** Our position in the set; undefined for one who only watches. */
  self: number | undefined
  verifier: Verifier
  timeouts: Timeouts
  /** @default nothing: a height that was never open before */
  restored?: Restored
}
