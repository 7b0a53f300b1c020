/** A deal in memory that answers audits, honestly or in every wrong way a provider could think of. */
import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.ts'
import { decodeDocument, encodeDocument } from '../../src/base/codec.ts'
import { messageOf } from '../../src/base/errors.ts'
import { AUDIT_ANSWER_BYTES_MAX, auditAnswer } from '../../src/node/wire/audit-messages.ts'
import { parseMessage } from '../../src/node/wire/schema.ts'
import {
  type AskedPiece,
  type AuditedDeal,
  type AuditedPiece,
  type AuditedPieces,
  faultOfDealLeaves,
  faultOfSlots
} from '../../src/proofs/audit.ts'
import { openLeaves } from '../../src/proofs/audit-leaves.ts'
import { openSlots } from '../../src/proofs/audit-slots.ts'
import { commitPiece } from '../../src/proofs/commit.ts'
import { leavesOf } from '../../src/proofs/lengths.ts'
import { SumTree } from '../../src/proofs/sum-tree.ts'
import { flipped, type TestRandom } from './random.ts'

const LENGTHS = [3_000, 40_000, 1_024, 16_385, 1, 70_001, 16_384, 5_555]

type Question = { form: 'slots'; asked: AskedPiece[] } | { form: 'leaves'; leaves: number[] }

interface Wrong {
  what: string
  answer: unknown
}

export class AuditWorld {
  readonly #random: TestRandom
  readonly #pieces = new Map<string, { bytes: Uint8Array; groupCvs: Uint8Array }>()
  readonly #tree: SumTree
  readonly deal: AuditedDeal
  /** Kinds of wrong answers given so far. */
  readonly kinds: Set<string> = new Set()

  constructor(random: TestRandom) {
    this.#random = random
    const slots = LENGTHS.map(length => {
      const piece = random.bytes(length)
      const { root, bytes, groupCvs } = commitPiece(piece)
      this.#pieces.set(toHex(root), { bytes: piece, groupCvs })
      return { root, bytes }
    })
    this.#tree = SumTree.from(slots.toSpliced(3, 0, undefined as never))
    this.deal = { dealRoot: this.#tree.root(), dealLeaves: this.#tree.leaves }
  }

  askSlots(): { asked: AskedPiece[]; answer: AuditedPieces } {
    const slots = this.#some(this.#tree.slots, 4).filter(slot => this.#tree.get(slot) !== undefined)
    if (slots.length === 0) slots.push(0)
    const asked = slots.map(slot => {
      const { root, bytes } = this.#tree.get(slot)!
      return { slot, root, bytes, leaves: this.#some(leavesOf(bytes), 4) }
    })
    return { asked, answer: this.#answer(asked) }
  }

  askLeaves(): { leaves: number[]; answer: AuditedPieces } {
    const leaves = this.#some(Number(this.#tree.leaves), 6)
    const asked: AskedPiece[] = []
    for (const leaf of leaves) {
      const { slot, leafInPiece } = this.#tree.locate(BigInt(leaf))
      const last = asked.at(-1)
      if (last?.slot === slot) (last.leaves as number[]).push(leafInPiece)
      else asked.push({ slot, ...this.#tree.get(slot)!, leaves: [leafInPiece] })
    }
    return { leaves, answer: this.#answer(asked) }
  }

  /** One wrong answer, as it would come over the wire; why it is refused, or undefined. */
  wrongAnswer(): { what: string; fault: string | undefined } {
    const isSlots = this.#random.int(2) === 0
    const slots = isSlots ? this.askSlots() : undefined
    const leaves = isSlots ? undefined : this.askLeaves()
    const honest = (slots ?? leaves)!.answer
    const question: Question = slots
      ? { form: 'slots', asked: slots.asked }
      : { form: 'leaves', leaves: leaves!.leaves }
    const honestBytes = encodeDocument(honest)
    for (;;) {
      const { what, answer } = this.#spoil(structuredClone(honest) as Mutable, isSlots)
      const bytes = answer instanceof Uint8Array ? answer : encodeDocument(answer)
      // a change that changes nothing is not wrong
      if (Buffer.compare(bytes, honestBytes) === 0) continue
      this.kinds.add(what)
      return { what, fault: this.#faultOf(question, bytes) }
    }
  }

  #faultOf(question: Question, bytes: Uint8Array): string | undefined {
    let answer: AuditedPieces
    try {
      answer = parseMessage(auditAnswer, decodeDocument(bytes, AUDIT_ANSWER_BYTES_MAX))
    } catch (error) {
      return messageOf(error)
    }
    return question.form === 'slots'
      ? faultOfSlots(this.deal, question.asked, answer)
      : faultOfDealLeaves(this.deal, question.leaves, answer)
  }

  #answer(asked: readonly AskedPiece[]): AuditedPieces {
    const pieces = asked.map(({ slot, root, bytes, leaves: indexes }): AuditedPiece => {
      const piece = this.#pieces.get(toHex(root))!
      const groups = new Map(
        indexes.map(index => {
          const group = index >> 4
          return [group, piece.bytes.subarray(group * 16_384, (group + 1) * 16_384)]
        })
      )
      const opening = openLeaves({ groupCvs: piece.groupCvs, pieceBytes: bytes, indexes, groups })
      return { slot, root, bytes, indexes, ...opening }
    })
    const proof = openSlots(
      this.#tree,
      pieces.map(({ slot }) => slot)
    )
    return { pieces, proof }
  }

  #spoil(answer: Mutable, isSlots: boolean): Wrong {
    const { int } = this.#random
    const piece = answer.pieces[int(answer.pieces.length)]!
    const at = int(piece.leaves.length)
    const leaf = piece.leaves[at]!
    const bitOf = (bytes: Uint8Array): Uint8Array => flipped(bytes, int(bytes.length * 8))
    switch (int(16)) {
      case 0:
        piece.leaves[at] = bitOf(leaf)
        return { what: 'wrong leaf', answer }
      case 1:
        piece.leaves[at] = this.#random.bytes(leaf.length)
        return { what: 'other bytes', answer }
      case 2:
        if (piece.nodes.length > 0) piece.nodes = bitOf(piece.nodes)
        return { what: 'wrong path', answer }
      case 3:
        piece.nodes = piece.nodes.slice(0, Math.max(0, piece.nodes.length - 32 * (1 + int(3))))
        return { what: 'truncated path', answer }
      case 4:
        piece.nodes = new Uint8Array([...piece.nodes, ...this.#random.bytes(32 * (1 + int(3)))])
        return { what: 'longer path', answer }
      case 5:
        piece.indexes[at] = int(leavesOf(piece.bytes))
        return { what: 'other index', answer }
      case 6: {
        const other = isSlots ? this.askSlots() : this.askLeaves()
        return { what: 'replay of another answer', answer: other.answer }
      }
      case 7: {
        const slot = int(this.#tree.slots)
        const entry = this.#tree.get(slot)
        if (entry) Object.assign(piece, { slot, root: entry.root, bytes: entry.bytes })
        return { what: 'other piece', answer }
      }
      case 8:
        piece.root = bitOf(piece.root)
        return { what: 'other root', answer }
      case 9:
        piece.bytes += int(2) === 0 ? 1 + int(2_000) : -Math.min(piece.bytes - 1, 1 + int(2_000))
        return { what: 'other length', answer }
      case 10:
        if (answer.proof.hashes.length > 0) answer.proof.hashes = bitOf(answer.proof.hashes)
        return { what: 'wrong slot path', answer }
      case 11: {
        const { sums } = answer.proof
        if (sums.length > 0) sums[int(sums.length)]! += 1 - 2 * int(2)
        return { what: 'wrong sums', answer }
      }
      case 12:
        answer.pieces.splice(int(answer.pieces.length), 1)
        return { what: 'a piece is missing', answer }
      case 13: {
        const bytes = encodeDocument(answer)
        return { what: 'truncated', answer: bytes.slice(0, int(bytes.length)) }
      }
      case 14: {
        const bytes = encodeDocument(answer)
        return { what: 'a flipped bit on the wire', answer: bitOf(bytes) }
      }
      default:
        return { what: 'oversized', answer: this.#oversized(answer) }
    }
  }

  #oversized(answer: Mutable): unknown {
    const { int } = this.#random
    const [piece] = answer.pieces
    assert(piece !== undefined)
    switch (int(4)) {
      case 0:
        piece.leaves[0] = new Uint8Array(1_025)
        return answer
      case 1:
        return { ...answer, pieces: Array(257).fill(piece) as unknown[] }
      case 2:
        return { ...answer, extra: new Uint8Array(100) }
      default:
        return new Uint8Array(AUDIT_ANSWER_BYTES_MAX + 1)
    }
  }

  /** Some numbers below `below`, ascending, at least one. */
  #some(below: number, most: number): number[] {
    const count = 1 + this.#random.int(most)
    const found = new Set(Array.from({ length: count }, () => this.#random.int(below)))
    return [...found].sort((a, b) => a - b)
  }
}

interface Mutable {
  pieces: {
    slot: number
    root: Uint8Array
    bytes: number
    indexes: number[]
    leaves: Uint8Array[]
    nodes: Uint8Array
  }[]
  proof: { depth: number; hashes: Uint8Array; sums: number[] }
}
