/**
 * What the owner changed at run time, and the price that repricing has come to, in `<home>/offer.json`. A change holds
 * until the owner edits the same setting in the configuration: each is kept with the value it replaced.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { HoldfastError } from '../../base/errors.ts'
import { PIECE_BYTES_MAX } from '../../base/limits.ts'
import { UNITS_MAX, type Units } from '../../base/money.ts'
import type { PriceRange } from '../../market/index.ts'
import { readJsonFile, writeFileAtomic } from '../home-files.ts'

const FILE_NAME = 'offer.json'

export interface OfferTerms {
  priceUnitsPerGiBPeriod: Units
  egressUnitsPerGiB: Units
  collateralUnits: Units
  dealPeriodsMin: number
  dealPeriodsMax: number
  pieceBytesMin: number
  region: string
  operator: string
}

export interface OfferState {
  terms: OfferTerms
  /** The range of repricing; absent when the owner sets the price. */
  auto?: PriceRange
}

const units = z
  .string()
  .regex(/^\d{1,19}$/)
  .transform(BigInt)
  .refine(value => value <= UNITS_MAX)
const periods = z
  .int()
  .min(1)
  .max(2 ** 32 - 1)
const text = z.string().max(32)

const termsSchema = z.strictObject({
  priceUnitsPerGiBPeriod: units,
  egressUnitsPerGiB: units,
  collateralUnits: units,
  dealPeriodsMin: periods,
  dealPeriodsMax: periods,
  pieceBytesMin: z.int().min(0).max(PIECE_BYTES_MAX),
  region: text,
  operator: text
})

const fileSchema = z.strictObject({
  /** The configuration when the terms were changed. */
  configured: termsSchema,
  terms: termsSchema,
  auto: z.strictObject({ floorUnits: units, ceilingUnits: units }).optional()
})

export class OfferFile {
  readonly #file: string
  readonly #configured: OfferTerms

  /** @param configured the terms that the configuration says now */
  constructor(folder: string, configured: OfferTerms) {
    this.#file = join(folder, FILE_NAME)
    this.#configured = configured
  }

  /** @throws HoldfastError CONFIG_INVALID when the file is not one of ours */
  async read(): Promise<OfferState> {
    const raw = await readJsonFile(this.#file)
    if (raw === undefined) return { terms: this.#configured }
    const parsed = fileSchema.safeParse(raw)
    if (!parsed.success) {
      throw new HoldfastError('CONFIG_INVALID', `${this.#file} does not hold terms of an offer`, {
        hint: 'delete it to return to the terms of config.json'
      })
    }
    const { configured, terms, auto } = parsed.data
    const isEdited = (name: keyof OfferTerms): boolean =>
      configured[name] !== this.#configured[name]
    const merged = { ...terms } as Record<string, unknown>
    for (const name of Object.keys(terms) as (keyof OfferTerms)[]) {
      if (isEdited(name)) merged[name] = this.#configured[name]
    }
    const keepsAuto = auto !== undefined && !isEdited('priceUnitsPerGiBPeriod')
    return { terms: merged as unknown as OfferTerms, ...(keepsAuto && { auto }) }
  }

  /** Durable when it resolves. */
  async write({ terms, auto }: OfferState): Promise<void> {
    const content = { configured: this.#configured, terms, ...(auto && { auto }) }
    const json = JSON.stringify(
      content,
      (_name, value: unknown) => (typeof value === 'bigint' ? `${value}` : value),
      2
    )
    await writeFileAtomic(this.#file, `${json}\n`)
  }
}
