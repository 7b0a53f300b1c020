/**
 * Names of rows: `area/op key=value …`. The keys are these five, each at most once, in this order; so a name is the
 * same text wherever it is written, and a baseline or a script can find it.
 *
 *   k, n   whole numbers: the erasure code; n alone: how many things an operation works on
 *   size   bytes with a unit: 1KiB, 64MiB
 *   api    which of several interfaces
 *   level  which build or implementation
 */
import { assert } from '../src/base/assert.ts'
import { GIB, KIB, MIB } from '../src/base/limits.ts'

export const ROW_KEYS = ['k', 'n', 'size', 'api', 'level'] as const
export type RowKey = (typeof ROW_KEYS)[number]
export type RowParameters = Partial<Record<RowKey, string | number>>

const WORD = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/
const COUNT = /^[1-9]\d*$/
const SIZE = /^[1-9]\d*(B|KiB|MiB|GiB)$/
const FORMS: Record<RowKey, RegExp> = { k: COUNT, n: COUNT, size: SIZE, api: WORD, level: WORD }

/** @throws AssertionError when a value does not have the form of its key */
export function rowName(area: string, op: string, parameters: RowParameters = {}): string {
  const unknown = Object.keys(parameters).filter(
    key => !(ROW_KEYS as readonly string[]).includes(key)
  )
  assert(unknown.length === 0, `unknown key in a row name: ${unknown.join(', ')}`)
  const pairs = ROW_KEYS.filter(key => parameters[key] !== undefined).map(
    key => `${key}=${parameters[key]}`
  )
  return checkRowName([`${area}/${op}`, ...pairs].join(' '))
}

/** The same name. @throws AssertionError on an unknown, repeated or misplaced key, or a malformed part */
export function checkRowName(name: string): string {
  const [title, ...pairs] = name.split(' ')
  const words = title!.split('/')
  assert(words.length === 2 && words.every(word => WORD.test(word)), `${name}: area/op expected`)
  let last = -1
  for (const pair of pairs) {
    const [key, value, ...rest] = pair.split('=')
    const position = (ROW_KEYS as readonly string[]).indexOf(key!)
    assert(position >= 0, `${name}: unknown key ${key}`)
    assert(position > last, `${name}: keys come once and in the order ${ROW_KEYS.join(' ')}`)
    const fits = rest.length === 0 && FORMS[key as RowKey].test(value ?? '')
    assert(fits, `${name}: not a value for ${key}`)
    last = position
  }
  return name
}

export function areaOf(name: string): string {
  return name.slice(0, name.indexOf('/'))
}

const UNITS: Record<string, number> = { GiB: GIB, MiB: MIB, KiB: KIB, B: 1 }

/** `size` of a row in the largest unit that divides it. */
export function sizeOf(bytes: number): string {
  for (const [unit, length] of Object.entries(UNITS)) {
    if (bytes >= length && bytes % length === 0) return `${bytes / length}${unit}`
  }
  return `${bytes}B`
}

/** The bytes that a `size` stands for; undefined when it is none. */
export function bytesOfSize(size: string): number | undefined {
  const unit = SIZE.exec(size)?.[1]
  return unit === undefined ? undefined : Number.parseInt(size, 10) * UNITS[unit]!
}
