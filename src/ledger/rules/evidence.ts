/**
 * evidence: two signed statements of one validator in one view that no correct validator makes both. It may come from
 * anybody, and convicts once: whoever is convicted is out for good.
 *
 * Money flows: the penalty from the validator's bond, then from its unbonding; a tenth of it (rounded down) to the
 * sender's balance, the rest is burnt. Reporting oneself so never pays.
 */

import { equal } from '../../base/bytes.ts'
import { min, mulDivCeil, type Units } from '../../base/money.ts'
import { totalPower } from '../certificate.ts'
import type { TxContext } from '../machine/context.ts'
import { type BondPot, burnBond, payFromBond } from '../machine/money.ts'
import { requireThat } from '../machine/outcomes.ts'
import { setAt } from '../machine/validator-sets.ts'
import { putValidator, requireValidator, unbondingUnitsOf } from '../machine/validators.ts'
import { isOffence, isSignedBy, offenceIdOf } from '../offence.ts'
import { convictions, ONLY, slashes } from '../state/tables.ts'
import type { Validator } from '../types/records.ts'
import { SLASHES_KEPT_MAX, type Slash, type ValidatorRecord } from '../types/validator.ts'
import type { Evidence } from '../types/validator-tx.ts'

const PPB = 10n ** 9n
/** 5 % of all that is bonded or unbonding. */
const PENALTY_DIVISOR = 20n
/** The penalty grows once more than a third of the power was slashed within the evidence window. */
const SHARE_FACTOR = 3n
const REWARD_DIVISOR = 10n

export function applyEvidence(ctx: TxContext, evidence: Evidence): void {
  const { state, height } = ctx
  const id = offenceIdOf(evidence)
  requireThat(state.get(convictions, id) === undefined, 'EvidenceRepeated', 'it was judged before')
  const { convict, set } = accused(ctx, evidence)
  const record = requireValidator(state, convict.account)
  requireThat(record.tombstonedHeight === 0n, 'ValidatorTombstoned', 'it is convicted already')
  requireThat(isOffence(evidence), 'EvidenceInvalid', 'a correct validator makes both statements')
  for (const statement of [evidence.first, evidence.second]) {
    requireThat(
      isSignedBy(evidence, statement, ctx.network),
      'EvidenceInvalid',
      'the validator did not sign it'
    )
  }
  const base = record.bondUnits + unbondingUnitsOf(record)
  const slashedUnits = penaltyUnits(base, shareWith(ctx, convict, set))
  const rewardUnits = slashedUnits / REWARD_DIVISOR
  const validator = convict.account
  const left = take(ctx, record, { units: slashedUnits, reward: rewardUnits })
  putValidator(state, ctx.params, validator, { ...left, tombstonedHeight: height })
  const offenceHeight = evidence.height
  state.put(convictions, id, { validator, offenceHeight, height, slashedUnits, rewardUnits })
}

/** The member of the set of that height whose key it is. */
function accused(
  { state, params, height }: TxContext,
  evidence: Evidence
): { convict: Validator; set: Validator[] } {
  requireThat(evidence.height <= height, 'EvidenceInvalid', 'it is about a height to come')
  requireThat(
    evidence.height + BigInt(params.evidenceHeights) >= height,
    'EvidenceExpired',
    `evidence is taken for ${params.evidenceHeights} heights`
  )
  const set = setAt(state, height - 1n, evidence.height)
  requireThat(set !== undefined, 'EvidenceExpired', 'the set of that height is forgotten')
  const convict = set.find(({ publicKey }) => equal(publicKey, evidence.voteKey))
  requireThat(convict !== undefined, 'EvidenceInvalid', 'the key was not in the set of that height')
  return { convict, set }
}

/** Remembers the slash. Returns the share of the power slashed within the window, this one included. */
function shareWith(
  { state, params, height }: TxContext,
  convict: Validator,
  set: readonly Validator[]
): bigint {
  const oldest = height - BigInt(params.evidenceHeights)
  const recent = (state.get(slashes, ONLY) ?? []).filter(slash => slash.height >= oldest)
  const own: Slash = { height, sharePpb: mulDivCeil(convict.power, PPB, totalPower(set)) }
  const all = [...recent, own].slice(-SLASHES_KEPT_MAX)
  state.put(slashes, ONLY, all)
  return all.reduce((sum, { sharePpb }) => sum + sharePpb, 0n)
}

/** Rounded up, and never more than there is. */
export function penaltyUnits(base: Units, sharePpb: bigint): Units {
  const factor = SHARE_FACTOR * sharePpb > PPB ? SHARE_FACTOR * sharePpb : PPB
  return min(base, mulDivCeil(base, factor, PENALTY_DIVISOR * PPB))
}

/** Bond first, then the unbonding entries in their order; of each pot, the reward before the fire. */
function take(
  { state, sender }: TxContext,
  record: ValidatorRecord,
  amounts: { units: Units; reward: Units }
): ValidatorRecord {
  let { units, reward } = amounts
  const from = (pot: BondPot, available: Units): Units => {
    const part = min(available, units)
    const paid = min(part, reward)
    payFromBond(state, pot, sender, paid)
    burnBond(state, pot, part - paid)
    units -= part
    reward -= paid
    return available - part
  }
  const bondUnits = from('bondUnits', record.bondUnits)
  const unbonding = record.unbonding
    .map(entry => ({ ...entry, units: from('unbondingUnits', entry.units) }))
    .filter(entry => entry.units > 0n)
  return { ...record, bondUnits, unbonding }
}
