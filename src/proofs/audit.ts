/**
 * Checks of the answer to an audit: pure, from facts of the ledger and what was asked, safe on hostile input. Each
 * returns what is wrong, or undefined when nothing is.
 */
import { equal } from '../base/bytes.ts'
import { type LeavesOpening, verifyLeaves } from './audit-leaves.ts'
import { type SlotEntry, type SlotsProof, verifySlots } from './audit-slots.ts'

/** A piece as the answer shows it. */
export interface AuditedPiece extends SlotEntry, LeavesOpening {
  /** Leaves shown, indexes within the piece. */
  readonly indexes: readonly number[]
}

export interface AuditedPieces {
  /** Ascending by slot. */
  readonly pieces: readonly AuditedPiece[]
  readonly proof: SlotsProof
}

/** A piece that the auditor knows, and the leaves that it wants to see: ascending, or none. */
export interface AskedPiece extends SlotEntry {
  readonly leaves: readonly number[]
}

/** The tree of a deal as both sides signed it. */
export interface AuditedDeal {
  /** 32 bytes. */
  dealRoot: Uint8Array
  dealLeaves: bigint
}

/** The answer shows exactly the pieces asked for, in their slots of the deal, and the leaves asked for. */
export function faultOfSlots(
  deal: AuditedDeal,
  asked: readonly AskedPiece[],
  { pieces, proof }: AuditedPieces
): string | undefined {
  const same =
    pieces.length === asked.length &&
    pieces.every(({ slot, root, bytes, indexes }, i) => {
      const wanted = asked[i]!
      const isIt = slot === wanted.slot && bytes === wanted.bytes && equal(root, wanted.root)
      return isIt && sameNumbers(indexes, wanted.leaves)
    })
  if (!same) return 'it shows other pieces or leaves than it was asked for'
  if (verifySlots({ ...deal, entries: pieces, proof }) === undefined) return NOT_IN_DEAL
  return faultOfLeaves(pieces)
}

/**
 * The answer shows exactly the leaves asked for, wherever in the deal they are.
 * @param leaves indexes within the deal, ascending
 */
export function faultOfDealLeaves(
  deal: AuditedDeal,
  leaves: readonly number[],
  { pieces, proof }: AuditedPieces
): string | undefined {
  const firsts = verifySlots({ ...deal, entries: pieces, proof })
  if (firsts === undefined) return NOT_IN_DEAL
  const shown = pieces.flatMap(({ indexes }, i) => indexes.map(index => firsts[i]! + index))
  if (!sameNumbers(shown, leaves)) return 'it shows other leaves than it was asked for'
  return faultOfLeaves(pieces)
}

const NOT_IN_DEAL = 'the pieces are not in their slots of the deal'

function faultOfLeaves(pieces: readonly AuditedPiece[]): string | undefined {
  for (const { slot, root, bytes: pieceBytes, indexes, leaves, nodes } of pieces) {
    const isShown =
      indexes.length === 0
        ? leaves.length === 0 && nodes.length === 0
        : verifyLeaves({ root, pieceBytes, indexes, opening: { leaves, nodes } })
    if (!isShown) return `leaves of the piece in slot ${slot} do not belong to it`
  }
  return undefined
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}
