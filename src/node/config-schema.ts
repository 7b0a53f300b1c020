/**
 * The schema of a node's settings: checks, defaults, names and descriptions in one place. config.ts reads settings with
 * it and writes docs/CONFIG.md from it.
 */
import { z } from 'zod'
import { GIB, MIB, PIECE_BYTES_MAX } from '../base/limits.ts'
import { UNITS_MAX, type Units } from '../base/money.ts'
import { type ReplicaConfig, replicaShape } from './config-ledger.ts'
import { setting, units } from './config-setting.ts'
import { parseProfile } from './control/arguments.ts'
import { LOG_LEVELS, type LogLevel } from './log.ts'

export const ROLES = ['provider', 'validator', 'client'] as const
export type Role = (typeof ROLES)[number]

/** A complete set of settings; what each means stands in the schema below and in docs/CONFIG.md. */
export interface Config extends ReplicaConfig {
  roles: Role[]
  listen: string[]
  announce: string[]
  bootstrap: string[]
  controlPort: number
  quotaBytes: number
  leaseMs: number
  leaderTimeoutMs: number
  logLevel: LogLevel
  ask: {
    priceUnitsPerGiBPeriod: Units
    egressUnitsPerGiB: Units
    collateralUnits: Units
    dealPeriodsMin: number
    dealPeriodsMax: number
    pieceBytesMin: number
    region: string
    operator: string
  }
  client: {
    profile: string
    dealPeriods: number
    maxPriceUnitsPerGiBPeriod: Units
    maxEgressUnitsPerGiB: Units
    maxUnitsPerPut: Units
    maxUnitsPerPeriod: Units
    regionsAllowed: string[]
    regionsDenied: string[]
    maxOperatorSharePerMille: number
    minReputation: number
  }
}

const ADDRESSES_MAX = 64
const PERIODS_MAX = 2 ** 32 - 1
const QUOTA_BYTES_MIN: number = 64 * MIB
const QUOTA_BYTES_MAX: number = 2 ** 50
const QUOTA_BYTES_DEFAULT: number = 10 * GIB
const LEASE_MS_MIN = 10_000
const LEASE_MS_MAX: number = 7 * 24 * 3_600_000
const LEASE_MS_DEFAULT: number = 24 * 3_600_000
const LEADER_TIMEOUT_MS_MIN = 50
const LEADER_TIMEOUT_MS_MAX = 60_000
/** Twice a slow round trip across the world, and the time to check a full block. */
const LEADER_TIMEOUT_MS_DEFAULT = 2_000
const TAG_BYTES_MAX = 32
const PRICE_UNITS_DEFAULT: Units = 1_000_000n
const PRICE_UNITS_ACCEPTED_DEFAULT: Units = 10_000_000n
const COLLATERAL_UNITS_DEFAULT: Units = 100_000_000n
const EGRESS_UNITS_DEFAULT: Units = 1_000_000n
const EGRESS_UNITS_ACCEPTED_DEFAULT: Units = 100_000_000n
const TAGS_MAX = 64

const UNITS_ALLOWED = `whole units as a decimal string, 0 to ${UNITS_MAX}`
const address = z.string().regex(/^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]+\/tcp\/\d{1,5}(\/\S+)?$/)
const peerAddress = address.refine(text => /\/p2p\/\w+$/.test(text))
const tag = z.string().regex(new RegExp(`^[ -~]{0,${TAG_BYTES_MAX}}$`))
const tags = z.array(tag).max(TAGS_MAX).default([])
const periods = z.int().min(1).max(PERIODS_MAX)

const topShape = {
  roles: setting(
    z
      .array(z.enum(ROLES))
      .min(1)
      .refine(roles => new Set(roles).size === roles.length)
      .default(['client']),
    `a list of ${ROLES.join(', ')}, each at most once`,
    'What this daemon does.'
  ),
  listen: setting(
    z.array(address).min(1).max(ADDRESSES_MAX).default(['/ip4/127.0.0.1/tcp/0']),
    'a list of TCP multiaddrs',
    'Where it accepts connections of peers; port 0 takes a free one at every start.'
  ),
  announce: setting(
    z.array(address).max(ADDRESSES_MAX).default([]),
    'a list of TCP multiaddrs',
    'Addresses told to peers instead of those listened on, for example behind a router.'
  ),
  bootstrap: setting(
    z.array(peerAddress).max(ADDRESSES_MAX).default([]),
    'a list of TCP multiaddrs that end in /p2p/<peer id>',
    'Peers dialled at start to find the network.'
  ),
  controlPort: setting(
    z.int().min(0).max(65_535).default(0),
    'a port, 0 to 65535',
    'Port of the control API on 127.0.0.1; 0 takes a free one.'
  ),
  quotaBytes: setting(
    z.int().min(QUOTA_BYTES_MIN).max(QUOTA_BYTES_MAX).default(QUOTA_BYTES_DEFAULT),
    `bytes, ${QUOTA_BYTES_MIN} to ${QUOTA_BYTES_MAX}`,
    'Space a provider offers for pieces.'
  ),
  leaseMs: setting(
    z.int().min(LEASE_MS_MIN).max(LEASE_MS_MAX).default(LEASE_MS_DEFAULT),
    `milliseconds, ${LEASE_MS_MIN} to ${LEASE_MS_MAX}`,
    'How long a provider keeps an uploaded piece that no revision of its deal names yet; a longer put fails.'
  ),
  leaderTimeoutMs: setting(
    z
      .int()
      .min(LEADER_TIMEOUT_MS_MIN)
      .max(LEADER_TIMEOUT_MS_MAX)
      .default(LEADER_TIMEOUT_MS_DEFAULT),
    `milliseconds, ${LEADER_TIMEOUT_MS_MIN} to ${LEADER_TIMEOUT_MS_MAX}`,
    'How long a validator waits for the first proposal of a height before it votes to skip the leader.'
  ),
  ...replicaShape,
  logLevel: setting(
    z.enum(LOG_LEVELS).default('info'),
    `one of ${LOG_LEVELS.join(', ')}`,
    'Least important message that is logged.'
  )
}

const askShape = {
  priceUnitsPerGiBPeriod: setting(
    units(PRICE_UNITS_DEFAULT),
    UNITS_ALLOWED,
    'Price a provider asks for storing 1 GiB for one proving period.'
  ),
  egressUnitsPerGiB: setting(
    units(EGRESS_UNITS_DEFAULT),
    UNITS_ALLOWED,
    'Price a provider asks for 1 GiB that is read, beyond the free credit.'
  ),
  collateralUnits: setting(
    units(COLLATERAL_UNITS_DEFAULT),
    UNITS_ALLOWED,
    'Collateral a provider puts up per deal.'
  ),
  dealPeriodsMin: setting(
    periods.default(1),
    `periods, 1 to ${PERIODS_MAX}`,
    'Shortest deal a provider accepts.'
  ),
  dealPeriodsMax: setting(
    periods.default(4096),
    `periods, 1 to ${PERIODS_MAX}`,
    'Longest deal a provider accepts.'
  ),
  pieceBytesMin: setting(
    z.int().min(0).max(PIECE_BYTES_MAX).default(0),
    `bytes, 0 to ${PIECE_BYTES_MAX}`,
    'Shortest piece a provider accepts.'
  ),
  region: setting(
    tag.default(''),
    `up to ${TAG_BYTES_MAX} printable ASCII characters`,
    'Where the provider is; clients spread pieces over regions.'
  ),
  operator: setting(
    tag.default(''),
    `up to ${TAG_BYTES_MAX} printable ASCII characters`,
    'Who runs the provider; clients spread pieces over operators.'
  )
}

const clientShape = {
  profile: setting(
    z.string().refine(isProfile).default('4/8'),
    'k/n with 1 <= k < n <= 256',
    'Erasure code of new objects: any k of n pieces are enough.'
  ),
  dealPeriods: setting(
    periods.default(2048),
    `periods, 1 to ${PERIODS_MAX}`,
    'Length of new deals.'
  ),
  maxPriceUnitsPerGiBPeriod: setting(
    units(PRICE_UNITS_ACCEPTED_DEFAULT),
    UNITS_ALLOWED,
    'Highest price a client accepts for 1 GiB for one proving period.'
  ),
  maxEgressUnitsPerGiB: setting(
    units(EGRESS_UNITS_ACCEPTED_DEFAULT),
    UNITS_ALLOWED,
    'Highest price a client accepts for 1 GiB that it reads.'
  ),
  maxUnitsPerPut: setting(
    units(UNITS_MAX),
    UNITS_ALLOWED,
    'Most that one put may cost over the whole length of its deals.'
  ),
  maxUnitsPerPeriod: setting(
    units(UNITS_MAX),
    UNITS_ALLOWED,
    'Most that all deals of a client together may cost in one proving period.'
  ),
  regionsAllowed: setting(
    tags,
    `a list of at most ${TAGS_MAX} regions; none means any`,
    'Regions a client stores in, as providers name them.'
  ),
  regionsDenied: setting(
    tags,
    `a list of at most ${TAGS_MAX} regions`,
    'Regions a client never stores in.'
  ),
  maxOperatorSharePerMille: setting(
    z.int().min(1).max(1000).default(1000),
    'per mille, 1 to 1000',
    'Largest share of the pieces of a segment with one operator; one piece is always allowed.'
  ),
  minReputation: setting(
    z.int().min(0).max(1000).default(0),
    '0 to 1000',
    'Least reputation of a provider that a client uses; `holdfast peers` shows it, a newcomer has 500.'
  )
}

const schema = z.strictObject({
  ...topShape,
  ask: z.strictObject(askShape).prefault({}),
  client: z.strictObject(clientShape).prefault({})
})

function isProfile(text: string): boolean {
  try {
    parseProfile(text)
    return true
  } catch {
    return false
  }
}

/** A leaf of the schema. */
export interface Setting {
  /** Key in config.json and for --set, for example "ask.region". */
  path: string
  /** Environment variable, for example HOLDFAST_ASK_REGION. */
  env: string
  kind: 'list' | 'number' | 'boolean' | 'text'
  allowed: string
  description: string
  default: unknown
}

export type SchemaResult = { config: Config } | { issue: z.core.$ZodIssue }

/** The complete settings of a raw object, or the first thing that is wrong with it. */
export function checkConfig(raw: unknown): SchemaResult {
  const parsed = schema.safeParse(raw)
  return parsed.success ? { config: parsed.data } : { issue: parsed.error.issues[0]! }
}

const defaults: Config = schema.parse({})

export const SETTINGS: readonly Setting[] = [
  ...leaves('', topShape, { ...defaults }),
  ...leaves('ask.', askShape, defaults.ask),
  ...leaves('client.', clientShape, defaults.client)
]

type Shape = Record<string, z.ZodDefault<z.ZodType>>

function leaves(prefix: string, shape: Shape, values: Record<string, unknown>): Setting[] {
  return Object.entries(shape).map(([key, leaf]) => {
    const type = leaf.unwrap().def.type
    const meta = leaf.meta() as { allowed: string; description: string }
    const path = prefix + key
    return {
      path,
      env: envName(path),
      kind: type === 'array' ? 'list' : type === 'number' || type === 'boolean' ? type : 'text',
      allowed: meta.allowed,
      description: meta.description,
      default: values[key]
    }
  })
}

function envName(path: string): string {
  const words = path.replace('GiB', 'Gib').replace('.', '_')
  return `HOLDFAST_${words.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase()}`
}
