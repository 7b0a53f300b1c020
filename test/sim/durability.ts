/**
 * Years of churn, event by event: nodes fail for good and are replaced by empty ones; a lost piece is noticed after
 * so many whole periods without a proof; once enough losses of an object are known, somebody rebuilds what is known
 * to be lost. Unlike the model (src/market/durability.ts), which knows one kind of time and sees all losses at once.
 */
import assert from 'node:assert/strict'
import { durabilityOf, repairTime } from '../../src/market/index.ts'
import { createPrng, type Prng } from './prng.ts'

export interface Churn {
  k: number
  n: number
  /** Pieces left when a repair begins. */
  repairAt: number
  /** Per node and year: far above real ones, so that losses can be counted. */
  failuresPerYear: number
  periodDays: number
  /** Whole periods without a proof until a loss is known. */
  gracePeriods: number
  /** Mean of an exponential time. */
  rebuildDays: number
  nodes: number
  objects: number
  years: number
}

export interface ChurnResult {
  losses: number
  objectYears: number
  /** Probability per object and year. */
  lossPerYear: number
  repairBytesPerLostByte: number
}

const DAYS_PER_YEAR = 365.25
const DAY_MS = 86_400_000
const UINT32 = 2 ** 32
const UNNOTICED = -1
const NOTICED = -2

/** What the model says of the same parameters. */
export function predicted(churn: Churn): ReturnType<typeof durabilityOf> {
  const { k, n, repairAt, failuresPerYear, periodDays, gracePeriods, rebuildDays } = churn
  const graceMs = gracePeriods * periodDays * DAY_MS
  const time = repairTime(graceMs, periodDays * DAY_MS, rebuildDays * DAY_MS)
  return durabilityOf({ k, n }, repairAt, { failuresPerYear, ...time })
}

export function simulateChurn(churn: Churn, seed: string): ChurnResult {
  return new Simulation(churn, createPrng(seed)).run()
}

interface Noticed {
  day: number
  piece: number
  life: number
}

interface Repair {
  day: number
  object: number
  life: number
}

class Simulation {
  readonly #churn: Churn
  readonly #prng: Prng
  /** Node of each piece (object · n + index), or UNNOTICED, or NOTICED. */
  readonly #holders: Int32Array
  /** Pieces that were placed on each node; some have moved since. */
  readonly #onNode: number[][]
  readonly #missing: Uint16Array
  readonly #known: Uint16Array
  readonly #repairing: Uint8Array
  /** A lost object begins a new life: what was under way for the old one is void. */
  readonly #lives: Uint32Array
  /** In order: every loss waits for the same number of periods. */
  #notices: Noticed[] = []
  #noticeHead = 0
  /** Binary heap by day. */
  readonly #repairs: Repair[] = []
  readonly #burnInDays: number
  #day = 0
  #losses = 0
  #rebuilt = 0
  #read = 0

  constructor(churn: Churn, prng: Prng) {
    const { n, objects, nodes, repairAt, failuresPerYear } = churn
    assert.ok(nodes >= 2 * n, 'there is always a node without a piece')
    this.#churn = churn
    this.#prng = prng
    this.#holders = new Int32Array(objects * n).fill(UNNOTICED)
    this.#onNode = Array.from({ length: nodes }, () => [])
    this.#missing = new Uint16Array(objects)
    this.#known = new Uint16Array(objects)
    this.#repairing = new Uint8Array(objects)
    this.#lives = new Uint32Array(objects)
    // three times as long as an object takes from whole to its first repair
    this.#burnInDays = (3 * DAYS_PER_YEAR * (n - repairAt)) / (n * failuresPerYear)
    for (let object = 0; object < objects; object++) this.#begin(object)
  }

  run(): ChurnResult {
    const { nodes, failuresPerYear, years, objects, k } = this.#churn
    const endDay = this.#burnInDays + years * DAYS_PER_YEAR
    const meanDays = DAYS_PER_YEAR / (nodes * failuresPerYear)
    for (let failure = this.#exponential(meanDays); failure < endDay; ) {
      this.#advance(failure)
      this.#failNode(this.#prng.below(nodes))
      failure += this.#exponential(meanDays)
    }
    const objectYears = objects * years
    return {
      losses: this.#losses,
      objectYears,
      lossPerYear: -Math.expm1(-this.#losses / objectYears),
      repairBytesPerLostByte: (k * this.#read) / Math.max(1, this.#rebuilt)
    }
  }

  get #counting(): boolean {
    return this.#day >= this.#burnInDays
  }

  /** Everything that happens before a day, in order. */
  #advance(day: number): void {
    for (;;) {
      const notice = this.#notices[this.#noticeHead]
      const repair = this.#repairs[0]
      const first = Math.min(notice?.day ?? Infinity, repair?.day ?? Infinity)
      if (first >= day) break
      this.#day = first
      if (notice?.day === first) {
        this.#noticeHead++
        this.#notice(notice)
      } else {
        this.#rebuild(popEarliest(this.#repairs))
      }
    }
    if (this.#noticeHead > 65_536) {
      this.#notices = this.#notices.slice(this.#noticeHead)
      this.#noticeHead = 0
    }
    this.#day = day
  }

  #failNode(node: number): void {
    const { n, k, periodDays, gracePeriods } = this.#churn
    const pieces = this.#onNode[node]!
    this.#onNode[node] = []
    const day = (Math.ceil(this.#day / periodDays) + gracePeriods) * periodDays
    for (const piece of pieces) {
      if (this.#holders[piece] !== node) continue
      this.#holders[piece] = UNNOTICED
      const object = Math.floor(piece / n)
      this.#missing[object]!++
      if (this.#missing[object]! > n - k) this.#lose(object)
      else this.#notices.push({ day, piece, life: this.#lives[object]! })
    }
  }

  #lose(object: number): void {
    if (this.#counting) this.#losses++
    this.#lives[object]!++
    this.#begin(object)
  }

  #begin(object: number): void {
    const { n } = this.#churn
    this.#holders.fill(UNNOTICED, object * n, (object + 1) * n)
    this.#missing[object] = 0
    this.#known[object] = 0
    this.#repairing[object] = 0
    for (let i = 0; i < n; i++) this.#place(object, object * n + i)
  }

  #notice({ piece, life }: Noticed): void {
    const { n, repairAt, rebuildDays } = this.#churn
    const object = Math.floor(piece / n)
    if (this.#lives[object] !== life) return
    this.#holders[piece] = NOTICED
    this.#known[object]!++
    if (this.#repairing[object] === 1 || n - this.#known[object]! > repairAt) return
    this.#repairing[object] = 1
    const day = this.#day + this.#exponential(rebuildDays)
    pushRepair(this.#repairs, { day, object, life })
  }

  #rebuild({ object, life }: Repair): void {
    if (this.#lives[object] !== life) return
    const { n } = this.#churn
    if (this.#counting) {
      this.#read++
      this.#rebuilt += this.#known[object]!
    }
    this.#missing[object]! -= this.#known[object]!
    this.#known[object] = 0
    this.#repairing[object] = 0
    for (let piece = object * n; piece < (object + 1) * n; piece++) {
      if (this.#holders[piece] === NOTICED) this.#place(object, piece)
    }
  }

  /** On a node that holds no other piece of the object. */
  #place(object: number, piece: number): void {
    const { n, nodes } = this.#churn
    const own = this.#holders.subarray(object * n, (object + 1) * n)
    let node = this.#prng.below(nodes)
    while (own.includes(node)) node = this.#prng.below(nodes)
    this.#holders[piece] = node
    this.#onNode[node]!.push(piece)
  }

  #exponential(mean: number): number {
    return -mean * Math.log((this.#prng.below(UINT32) + 0.5) / UINT32)
  }
}

function pushRepair(heap: Repair[], repair: Repair): void {
  let at = heap.push(repair) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent]!.day <= repair.day) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = repair
}

function popEarliest(heap: Repair[]): Repair {
  const first = heap[0]!
  const last = heap.pop()!
  if (heap.length === 0) return first
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && heap[child + 1]!.day < heap[child]!.day) child++
    if (heap[child]!.day >= last.day) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
  return first
}
