/**
 * The signer enforces the voting rules by itself, whatever the core asks for, so that it alone keeps a validator from
 * contradicting itself: one Notarize and one Proposal per (height, view); Nullify and Finalize of a view exclude each
 * other; never a height below the highest one signed. Signing the same statement again is allowed: Ed25519 is
 * deterministic, so it gives the same bytes.
 *
 * Order of use: `authorize…`, append the record to the journal, flush, `journaled(record)`, `sign…`.
 */
import { assert } from '../../base/assert.ts'
import { toHex } from '../../base/bytes.ts'
import type { SigningKey } from '../../base/keys.ts'
import { signVote } from '../certificate.ts'
import { VOTE_KINDS } from '../types/block.ts'
import type { NetworkId } from '../types/network.ts'
import { bytes32, container, decodeStrict, type Ssz, u8, u64 } from '../types/ssz.ts'
import type { SignedProposal, SignedVote } from './types.ts'
import { signProposal, type UnsignedProposal, type UnsignedVote, voteOf } from './verifier.ts'

/** Kind of a proposal in the journal; votes keep theirs (VOTE_KINDS). */
export const PROPOSAL_RECORD_KIND = 0
/** 1 + 8 + 8 + 32 + 8. */
export const JOURNAL_RECORD_BYTES = 57

/** One statement that this key may have signed. */
export interface JournalRecord {
  /** PROPOSAL_RECORD_KIND or one of VOTE_KINDS. */
  kind: number
  height: bigint
  view: bigint
  /** 32 bytes; zero for nullify. */
  blockHash: Uint8Array
  /** Of a proposal; 0 for votes. */
  base: bigint
}

export const journalRecordType: Ssz<JournalRecord> = container<JournalRecord>('JournalRecord', {
  kind: u8,
  height: u64,
  view: u64,
  blockHash: bytes32,
  base: u64
})

/** JOURNAL_RECORD_BYTES bytes. */
export function encodeRecord(record: JournalRecord): Uint8Array {
  return journalRecordType.serialize(record)
}

/** @throws HoldfastError PROTOCOL_VIOLATION when it is no record */
export function decodeRecord(bytes: Uint8Array): JournalRecord {
  return decodeStrict(journalRecordType, bytes, 'journal record', 'PROTOCOL_VIOLATION')
}

/** `record` has to be in the journal before the statement is signed; absent when it is there already. */
export type Authorization = { ok: true; record?: Uint8Array } | { ok: false; reason: string }

export interface Signer {
  readonly publicKey: Uint8Array
  authorizeVote(vote: UnsignedVote): Authorization
  authorizeProposal(proposal: UnsignedProposal): Authorization
  /** The record is durable. */
  journaled(record: Uint8Array): void
  /** What was authorized and journaled. @param validator position in the set of the height */
  signVote(vote: UnsignedVote, validator: number): SignedVote
  signProposal(proposal: Omit<SignedProposal, 'signature'>): SignedProposal
}

export interface SignerInit {
  key: SigningKey
  network: NetworkId
  /** The journal, in order. */
  records: readonly JournalRecord[]
}

/** @throws AssertionError when the records contradict each other: then this key has signed elsewhere */
export function createSigner({ key, network, records }: SignerInit): Signer {
  const memory = new Statements()
  for (const record of records) {
    if (record.height < memory.height) continue
    assert(memory.refusal(record) === undefined, 'the journal does not contradict itself')
    memory.add(record, true)
  }

  const authorize = (record: JournalRecord): Authorization => {
    const reason = memory.refusal(record)
    if (reason !== undefined) return { ok: false, reason }
    memory.add(record, false)
    return memory.isDurable(record) ? { ok: true } : { ok: true, record: encodeRecord(record) }
  }
  return {
    publicKey: key.publicKey,
    authorizeVote: vote => authorize(recordOfVote(vote)),
    authorizeProposal: proposal => authorize(recordOfProposal(proposal)),
    journaled: bytes => memory.add(decodeRecord(bytes), true),
    signVote: (vote, validator) => {
      assert(memory.isDurable(recordOfVote(vote)), 'a vote is journaled before it is signed')
      const { kind, height, view, blockHash } = vote
      const signature = signVote(key, voteOf(network, vote))
      return { kind, height, view, blockHash, validator, signature }
    },
    signProposal: proposal => {
      const isDurable = memory.isDurable(recordOfProposal(proposal))
      assert(isDurable, 'a proposal is journaled before it is signed')
      return { ...proposal, signature: signProposal(key, network, proposal) }
    }
  }
}

export function recordOfVote({ kind, height, view, blockHash }: UnsignedVote): JournalRecord {
  return { kind, height, view, blockHash, base: 0n }
}

export function recordOfProposal(proposal: UnsignedProposal): JournalRecord {
  const { height, view, blockHash, base } = proposal
  return { kind: PROPOSAL_RECORD_KIND, height, view, blockHash, base }
}

interface Statement {
  record: JournalRecord
  isDurable: boolean
}

/** What was authorized at the highest height; nothing below it is ever signed. */
class Statements {
  height = 0n
  readonly #byKey = new Map<string, Statement>()

  /** Why the statement must not be signed. */
  refusal(record: JournalRecord): string | undefined {
    const { kind, height, view } = record
    if (height < this.height) return `height ${height} is below ${this.height}`
    if (height > this.height) return undefined
    const same = this.#byKey.get(keyOf(kind, view))
    if (same !== undefined && !isSame(same.record, record)) return 'it said otherwise in this view'
    const excluded = excludedBy(kind)
    if (excluded !== undefined && this.#byKey.has(keyOf(excluded, view))) {
      return 'nullify and finalize of one view exclude each other'
    }
    return undefined
  }

  add(record: JournalRecord, isDurable: boolean): void {
    const { kind, height, view } = record
    if (height < this.height) return
    if (height > this.height) this.#byKey.clear()
    this.height = height
    const known = this.#byKey.get(keyOf(kind, view))
    if (known === undefined) this.#byKey.set(keyOf(kind, view), { record, isDurable })
    else known.isDurable ||= isDurable
  }

  isDurable(record: JournalRecord): boolean {
    if (record.height !== this.height) return false
    const known = this.#byKey.get(keyOf(record.kind, record.view))
    return known?.isDurable === true && isSame(known.record, record)
  }
}

function keyOf(kind: number, view: bigint): string {
  return `${kind}/${view}`
}

function excludedBy(kind: number): number | undefined {
  if (kind === VOTE_KINDS.nullify) return VOTE_KINDS.finalize
  if (kind === VOTE_KINDS.finalize) return VOTE_KINDS.nullify
  return undefined
}

function isSame(a: JournalRecord, b: JournalRecord): boolean {
  return toHex(encodeRecord(a)) === toHex(encodeRecord(b))
}
