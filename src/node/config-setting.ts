/** Parts of the schema of settings. */
import { z } from 'zod'
import { UNITS_MAX, type Units } from '../base/money.ts'

/** One setting: `allowed` is shown when a value does not fit, and in the docs. */
export function setting<T extends z.ZodType>(schema: T, allowed: string, description: string): T {
  return schema.meta({ allowed, description })
}

/** Money: as a decimal string, since JSON numbers end at 2^53. */
export function units(fallback: Units): z.ZodDefault<z.ZodType<Units, Units | string | number>> {
  return z
    .union([z.bigint(), z.string().regex(/^\d{1,19}$/), z.int().nonnegative()])
    .transform(BigInt)
    .refine(value => value >= 0n && value <= UNITS_MAX)
    .default(fallback)
}
