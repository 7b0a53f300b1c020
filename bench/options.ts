/** The command line of the bench. */
import { parseArgs } from 'node:util'
import { messageOf } from '../src/base/errors.ts'
import { GIB, MIB } from '../src/base/limits.ts'
import { bytesOfSize } from './row-name.ts'
import type { Area } from './types.ts'

const SIZE_BYTES_MIN: number = 1 * MIB
const SIZE_BYTES_MAX: number = 64 * GIB

export interface Options {
  json: boolean
  check: boolean
  fit: boolean
  writeBaseline: boolean
  help: boolean
  /** Object size for the areas that store one. */
  sizeBytes: number | undefined
  /** Areas to run, in their own order. */
  areas: readonly Area[]
}

/** A mistake of the person who typed: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const HELP = `npm run -s bench -- [options]

  --json              one JSON object per row on stdout, everything else on stderr
  --only AREA         only these areas (repeat it, or separate them with commas)
  --size SIZE         object size in the areas devnet and memory: 64MiB, 1GiB
  --check             fail when a ratio fell by more than 15 % below bench/baseline.json
  --fit               say whether this machine meets proof deadlines and what throughput to expect
  --write-baseline    write the ratios of this run to bench/baseline.json

areas:`

/**
 * @param fitAreas what --fit needs, unless --only says otherwise
 * @throws UsageError
 */
export function parseOptions(
  args: readonly string[],
  all: readonly Area[],
  fitAreas: readonly string[]
): Options {
  const values = parse(args)
  if (values.check && values['write-baseline']) {
    throw new UsageError('--check and --write-baseline exclude each other')
  }
  const only = (values.only ?? []).flatMap(text => text.split(',')).filter(name => name !== '')
  const unknown = only.filter(name => !all.some(area => area.name === name))
  if (unknown.length > 0 || (values.only !== undefined && only.length === 0)) {
    const known = all.map(({ name }) => name).join(', ')
    throw new UsageError(`no such area: ${unknown.join(', ')} (there are: ${known})`)
  }
  const named = values.fit ? [...only, ...fitAreas] : only
  const areas = all.filter(({ name, onlyWhenNamed }) =>
    named.length > 0 ? named.includes(name) : onlyWhenNamed !== true
  )
  const { json, check, fit, help } = values
  const sizeBytes = values.size === undefined ? undefined : sizeFrom(values.size)
  return { json, check, fit, help, sizeBytes, writeBaseline: values['write-baseline'], areas }
}

function sizeFrom(text: string): number {
  const bytes = bytesOfSize(text)
  if (bytes === undefined || bytes < SIZE_BYTES_MIN || bytes > SIZE_BYTES_MAX) {
    throw new UsageError(`not a size between 1MiB and 64GiB: ${text}`)
  }
  return bytes
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ json: flag, check: flag, fit: flag, 'write-baseline': flag, help: flag },
        size: { type: 'string' },
        only: { type: 'string', multiple: true }
      }
    }).values
  } catch (error) {
    throw new UsageError(messageOf(error))
  }
}
