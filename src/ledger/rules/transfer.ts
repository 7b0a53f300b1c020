/** transfer: units from the sender to any account. */
import type { TxContext } from '../machine/context.ts'
import { transfer } from '../machine/money.ts'
import { requireThat } from '../machine/outcomes.ts'
import type { Transfer } from '../types/tx.ts'

/** Money flows: amountUnits from the sender's balance to the receiver's. */
export function applyTransfer(ctx: TxContext, payload: Transfer): void {
  requireThat(payload.amountUnits > 0n, 'AmountInvalid', 'nothing to transfer')
  transfer(ctx.state, ctx.sender, payload.to, payload.amountUnits)
}
