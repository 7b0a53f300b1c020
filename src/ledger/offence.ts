/**
 * What a validator can be convicted of. Each offence is two statements at one height and view:
 *
 *   two proposals that differ          DoublePropose
 *   notarize of two blocks             DoubleNotarize
 *   finalize of two blocks             DoubleFinalize
 *   nullify and finalize               NullifyFinalize
 *
 * Everything else an honest validator may do. Above all, notarize and nullify in one view: it voted for a block and
 * then ran out of time.
 */
import { compare, equal } from '../base/bytes.ts'
import { domainHash, type Hash, ZERO_HASH } from '../base/hash.ts'
import { verifyVote } from './certificate.ts'
import type { Misbehaviour, SignedProposal, SignedVote } from './consensus/types.ts'
import { verifyProposal } from './consensus/verifier.ts'
import { VOTE_KINDS } from './types/block.ts'
import type { NetworkId } from './types/network.ts'
import {
  type Evidence,
  evidenceType,
  STATEMENT_PROPOSAL,
  type Statement
} from './types/validator-tx.ts'

export type Offence = 'DoublePropose' | 'DoubleNotarize' | 'DoubleFinalize' | 'NullifyFinalize'

const { notarize, nullify, finalize } = VOTE_KINDS

/** The offence; undefined when a correct validator may make both statements, or nobody makes them. */
export function offenceOf({ view, first, second }: Evidence): Offence | undefined {
  if (view === 0n || !isWellFormed(first) || !isWellFormed(second)) return undefined
  const sameBlock = equal(first.blockHash, second.blockHash)
  if (first.kind === second.kind) {
    if (first.kind === STATEMENT_PROPOSAL) {
      return sameBlock && first.base === second.base ? undefined : 'DoublePropose'
    }
    if (sameBlock) return undefined
    if (first.kind === notarize) return 'DoubleNotarize'
    return first.kind === finalize ? 'DoubleFinalize' : undefined
  }
  const kinds = [first.kind, second.kind]
  return kinds.includes(nullify) && kinds.includes(finalize) ? 'NullifyFinalize' : undefined
}

export function isOffence(evidence: Evidence): boolean {
  return offenceOf(evidence) !== undefined
}

/** Only proposals have a base; only nullify is about no block. */
function isWellFormed({ kind, blockHash, base }: Statement): boolean {
  const isVote = kind === notarize || kind === nullify || kind === finalize
  if (!isVote && kind !== STATEMENT_PROPOSAL) return false
  if (isVote && base !== 0n) return false
  return equal(blockHash, ZERO_HASH) === (kind === nullify)
}

/** The accusation that follows from two signed statements at one height and view. */
export function evidenceOf(voteKey: Uint8Array, { type, first, second }: Misbehaviour): Evidence {
  const { height, view } = first
  const [a, b] =
    type === 'votes'
      ? [voteStatement(first), voteStatement(second)]
      : [proposalStatement(first), proposalStatement(second)]
  return { voteKey, height, view, first: a, second: b }
}

function voteStatement({ kind, blockHash, signature }: SignedVote): Statement {
  return { kind, blockHash, base: 0n, signature }
}

function proposalStatement({ blockHash, base, signature }: SignedProposal): Statement {
  return { kind: STATEMENT_PROPOSAL, blockHash, base, signature }
}

/** True if the accused signed the statement at the height and view of the evidence. */
export function isSignedBy(evidence: Evidence, statement: Statement, network: NetworkId): boolean {
  const { voteKey, height, view } = evidence
  const { kind, blockHash, base, signature } = statement
  if (kind === STATEMENT_PROPOSAL) {
    return verifyProposal(voteKey, network, { height, view, blockHash, base, signature })
  }
  const { chainId, genesisHash } = network
  return verifyVote(voteKey, { chainId, genesisHash, kind, height, view, blockHash }, signature)
}

/** 32-byte name, the same in whatever order the statements stand and however they were signed. */
export function offenceIdOf(evidence: Evidence): Hash {
  const signature = new Uint8Array(64)
  const [first, second] = [evidence.first, evidence.second]
    .map(statement => ({ ...statement, signature }))
    .sort((a, b) => a.kind - b.kind || compare(a.blockHash, b.blockHash) || Number(a.base - b.base))
  const bare = { ...evidence, first: first!, second: second! }
  return domainHash('ledger/evidence/v1', evidenceType.hashTreeRoot(bare))
}
