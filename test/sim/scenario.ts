/** What a seed means: how many validators, which of them are Byzantine and how, and which faults the world has. */
import { quorumOf } from '../../src/ledger/certificate.ts'
import type { DiskFaults } from './disk.ts'
import { SET_CHANGE_POWER_MIN } from './load-limits.ts'
import type { LinkFaults } from './network.ts'
import type { Prng } from './prng.ts'

/**
 * `twins`: two live copies of one key that see different peers. `silent`: never says anything. `slow`: says it late.
 * `spammer`: floods with signed contradictions and garbage. `mutator`: flips bits in what it says.
 * `liar`: proposes a fresh block whenever it leads. `quitter`: honest until the faults end, then silent.
 */
export type ByzantineKind = 'twins' | 'silent' | 'slow' | 'spammer' | 'mutator' | 'liar' | 'quitter'

export interface Scenario {
  /** Voting power by validator. */
  powers: bigint[]
  /** By validator; undefined for an honest one. */
  byzantine: (ByzantineKind | undefined)[]
  links: LinkFaults
  disk: DiskFaults
  /** Between changes of the partition; 0 for none. */
  partitionMs: number
  /** Between crashes of a random node that do not come from its disk; 0 for none. */
  crashMs: number
  /** That such a crash hits all nodes at once. */
  blackoutChance: number
  /** Longest time that a node stays down. */
  downMsMax: number
  /** Clocks are wrong by so much at most. */
  skewMs: number
  /** Between jumps of a random clock; 0 for none. */
  jumpMs: number
  /** Nodes also fetch blocks from others, as followers do. */
  hasFollowers: boolean
  /** One bit of one honest node's journal is flipped while it is down. */
  flipsBit: boolean
  /** One honest node's disk begins to fail writes. */
  failsDisk: boolean
  /** Bonds change, one more validator joins, and epochs are short. Powers are large then. */
  changesSet: boolean
  /** Between submitted transactions. */
  loadMs: number
  /** How long the faults last. */
  chaosMs: number
  /** How long everybody may take to go on after them. */
  healedMs: number
  /** Above it somebody goes round in circles. */
  eventsMax: number
  revealEveryHeights: number
}

const SIZES = [1, 2, 3, 4, 4, 4, 4, 4, 4, 5, 5, 7] as const
const KINDS: readonly ByzantineKind[] = [
  'twins',
  'twins',
  'twins',
  'silent',
  'slow',
  'spammer',
  'mutator',
  'liar',
  'quitter'
]

export interface ScenarioOptions {
  /** Instead of the seed's choice. */
  powers?: readonly bigint[]
  /** Short lives, blackouts, and Byzantine validators of this kind: shows broken rules soonest. */
  hunt?: ByzantineKind
  /** Whatever the seed says; takes four validators. */
  changesSet?: true
}

export function scenarioOf(random: Prng, options: ScenarioOptions = {}): Scenario {
  const powers = [...(options.powers ?? powersOf(random, random.pick(SIZES)))]
  const { hunt } = options
  return hunt === undefined
    ? mixed(random, powers, options.changesSet === true)
    : hunted(random, powers, hunt)
}

function mixed(random: Prng, chosen: bigint[], isForced: boolean): Scenario {
  const changesSet = chosen.length >= 4 && (isForced || random.chance(0.1))
  const powers = changesSet ? chosen.map(() => SET_CHANGE_POWER_MIN) : chosen
  const isByzantine = random.chance(0.7)
  const byzantine = isByzantine ? byzantineOf(random, powers, KINDS) : powers.map(() => undefined)
  const isSound = byzantine.every(kind => kind === undefined) && powers.length >= 4
  const canLoseOne = isSound && powers.every(power => power === powers[0])
  return {
    powers,
    byzantine,
    links: {
      lossChance: random.pick([0, 0, 0.02, 0.1, 0.25]),
      duplicateChance: random.pick([0, 0.05, 0.2]),
      delayMsMin: 1,
      delayMsMax: random.pick([10, 40, 150, 400]),
      spikeChance: random.pick([0, 0.01, 0.05])
    },
    disk: {
      crashChance: random.pick([0, 0.005, 0.02, 0.05]),
      errorChance: 0,
      latencyMsMax: random.pick([0, 2, 20])
    },
    partitionMs: random.pick([0, 400, 1_500]),
    crashMs: random.pick([0, 500, 2_000]),
    blackoutChance: 0.2,
    downMsMax: random.pick([100, 1_000, 4_000]),
    skewMs: random.pick([0, 50, 200]),
    jumpMs: random.pick([0, 0, 2_000]),
    hasFollowers: random.chance(0.6),
    flipsBit: canLoseOne && random.chance(0.35),
    failsDisk: canLoseOne && random.chance(0.2),
    changesSet,
    loadMs: changesSet ? 100 : random.pick([150, 400, 1_000]),
    chaosMs: changesSet ? 5_000 : random.between(1_200, 4_000),
    healedMs: 120_000,
    eventsMax: 40_000,
    revealEveryHeights: random.chance(0.03) ? 3 : 10_000
  }
}

function hunted(random: Prng, powers: bigint[], kind: ByzantineKind): Scenario {
  const byzantine = byzantineOf(random, powers, [kind])
  // lies need heights that nearly succeed; forgetting needs blackouts
  const isCalm = kind === 'liar'
  return {
    powers,
    byzantine,
    links: {
      lossChance: isCalm ? 0.05 : random.pick([0.05, 0.2, 0.2, 0.35]),
      duplicateChance: 0.05,
      delayMsMin: 1,
      delayMsMax: isCalm ? 100 : random.pick([80, 80, 200, 400]),
      spikeChance: 0.02
    },
    disk: { crashChance: isCalm ? 0 : random.pick([0, 0.02]), errorChance: 0, latencyMsMax: 2 },
    partitionMs: isCalm ? 0 : random.pick([300, 1_000]),
    crashMs: isCalm ? 0 : random.pick([300, 600]),
    blackoutChance: 0.8,
    downMsMax: 300,
    skewMs: 0,
    jumpMs: 0,
    hasFollowers: false,
    flipsBit: false,
    failsDisk: false,
    changesSet: false,
    loadMs: 2_000,
    chaosMs: isCalm ? 1_500 : random.between(1_500, 3_000),
    healedMs: 30_000,
    eventsMax: 8_000,
    revealEveryHeights: 10_000
  }
}

function powersOf(random: Prng, count: number): bigint[] {
  const isEqual = random.chance(0.7)
  return Array.from({ length: count }, () => (isEqual ? 1n : BigInt(random.between(1, 5))))
}

/** Less than a third of the power, honest validators keep a quorum. */
function byzantineOf(
  random: Prng,
  powers: readonly bigint[],
  kinds: readonly ByzantineKind[]
): (ByzantineKind | undefined)[] {
  const out: (ByzantineKind | undefined)[] = powers.map(() => undefined)
  const power = powers.reduce((sum, one) => sum + one, 0n)
  let honest = power
  for (let tries = 0; tries < powers.length; tries++) {
    const index = random.below(powers.length)
    const left = honest - powers[index]!
    if (out[index] !== undefined || 3n * (power - left) >= power || left < quorumOf(power)) continue
    out[index] = random.pick(kinds)
    honest = left
  }
  return out
}
