/** What the control API says of asks, quotes and deals; money as in types.ts. */
import type { Units } from '../../base/money.ts'

export interface DealRow {
  id: string
  client: string
  provider: string
  bytes: number
  provenPeriods: number
  missedPeriods: number
  paidUnits: Units
  /** Proven and not pulled yet. */
  owedUnits: Units
  escrowUnits: Units
  collateralUnits: Units
  endPeriod: number
  state: string
}

export interface QuoteRequest {
  bytes: number
  profile?: string
  periods?: number
}

export interface QuoteResult {
  bytes: number
  profile: string
  storedBytes: number
  periods: number
  costUnits: Units
  costUnitsPerPeriod: Units
  /** 30 days at the network's pace. */
  costUnitsPerMonth: Units
  /** What the put would lock now: escrow of new deals, and top-ups of those there are. */
  lockUnits: Units
  /** Reading the object once from the dearest k providers. */
  egressUnits: Units
  /** Of its durability over a year, to a tenth. */
  nines: number
  providers: {
    provider: string
    priceUnitsPerGiBPeriod: Units
    egressUnitsPerGiB: Units
    bytes: number
    /** 0 to 1000. */
    reputation: number
    region: string
    operator: string
  }[]
}

export interface AskRow {
  provider: string
  priceUnitsPerGiBPeriod: Units
  egressUnitsPerGiB: Units
  collateralUnits: Units
  dealPeriodsMin: number
  dealPeriodsMax: number
  pieceBytesMin: number
  pieceBytesMax: number
  freeBytes: number
  region: string
  operator: string
  validUntilHeight: number
  /** The range in which the node sets the price by itself; null when the owner does. */
  auto: AutoPrice | null
}

/** Repricing by utilisation. */
export interface AutoPrice {
  floorUnits: Units
  ceilingUnits: Units
}

/** What changes is kept over a restart. */
export interface AskUpdate {
  /** Ends repricing. */
  priceUnitsPerGiBPeriod?: Units
  egressUnitsPerGiB?: Units
  collateralUnits?: Units
  dealPeriodsMin?: number
  dealPeriodsMax?: number
  pieceBytesMin?: number
  /** Null ends repricing at the present price. */
  auto?: AutoPrice | null
}

export interface ProviderStatus {
  provider: string
  usedBytes: number
  reservedBytes: number
  quotaBytes: number
  pieces: number
  readOnly: boolean
  deals: number
  provenPeriods: number
  lastProvenPeriod: number | null
  currentPeriod: number
}
