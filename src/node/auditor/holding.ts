/** The slots of pieces in a deal, as its provider proves them: some at a time, each lot under one tree. */
import type { SlotEntry, SlotsProof } from '../../proofs/index.ts'
import type { SignedRevision } from '../wire/audit-messages.ts'
import { checkedAnswers } from './ask-provider.ts'
import type { AuditorContext } from './context.ts'

export interface Holding {
  deal: Uint8Array
  /** Of the tree. */
  revision: bigint
  signed: SignedRevision
  pieces: SlotEntry[]
  proof: SlotsProof
}

/**
 * @param entries ascending by slot
 * @throws HoldfastError PROOF_INVALID when an answer does not check; and whatever kept the provider from answering
 */
export async function askForHoldings(
  context: AuditorContext,
  deal: Uint8Array,
  entries: readonly SlotEntry[]
): Promise<Holding[]> {
  const asked = entries.map(entry => ({ ...entry, leaves: [] }))
  const tally = { leaves: 0, transferredBytes: 0 }
  const found: Holding[] = []
  for await (const { batch, answer, revision } of checkedAnswers(context, deal, asked, tally)) {
    const pieces = batch.map(({ slot, root, bytes }) => ({ slot, root, bytes }))
    found.push({ deal, revision, signed: answer.signed!, pieces, proof: answer.proof })
  }
  return found
}
