/**
 * Reads the settings of a node. Precedence: config.json < environment (HOLDFAST_…) < flags. What settings there are
 * stands in config-schema.ts.
 */
import { HoldfastError } from '../base/errors.ts'
import type { Logger } from '../base/ports.ts'
import type { KeySet } from '../base/seed.ts'
import {
  type Config,
  checkConfig,
  ROLES,
  type Role,
  type SchemaResult,
  SETTINGS,
  type Setting
} from './config-schema.ts'
import type { HomePaths } from './home-files.ts'

export type { Config, Role, Setting }
export { ROLES, SETTINGS }

/** Everything `createNode` needs. */
export interface NodeInit {
  config: Config
  paths: HomePaths
  keys: KeySet
  /** 24 words, for `holdfast wallet phrase` only. */
  phrase: string
  /** The content of genesis.json; the ledger validates it. */
  genesis: unknown
  log: Logger
  /** Version of this software. */
  version: string
}

export interface ConfigSources {
  /** Parsed config.json. @default {} */
  file?: unknown
  /** Environment; only the variables of SETTINGS are read, an empty one counts as not set. */
  env?: Readonly<Record<string, string | undefined>>
  /** "key=value" assignments in order; the last one of a key wins. */
  set?: readonly string[]
}

/** @throws HoldfastError CONFIG_INVALID naming the setting, where it came from and what is allowed */
export function resolveConfig(sources: ConfigSources): Config {
  const raw = rawObject(sources.file ?? {})
  const origin = new Map<string, string>()
  for (const { path, env, kind } of SETTINGS) {
    const text = sources.env?.[env]
    if (text === undefined || text === '') continue
    assign(raw, path, fromText(kind, text))
    origin.set(path, env)
  }
  applyAssignments(raw, sources.set ?? [], origin)
  const result = checkConfig(raw)
  if ('config' in result) return result.config
  throw settingError(raw, result.issue, origin)
}

/**
 * Writes "key=value" assignments into a raw config, as config.json would hold them.
 * @throws HoldfastError CONFIG_INVALID on a key that does not exist
 */
export function applyAssignments(
  raw: Record<string, unknown>,
  assignments: readonly string[],
  origin: Map<string, string> = new Map()
): void {
  for (const assignment of assignments) {
    const at = assignment.indexOf('=')
    const path = assignment.slice(0, Math.max(at, 0))
    const found = SETTINGS.find(candidate => candidate.path === path)
    if (found === undefined) throw unknownSetting(at < 0 ? assignment : path, '--set')
    assign(raw, path, fromText(found.kind, assignment.slice(at + 1)))
    origin.set(path, '--set')
  }
}

function rawObject(file: unknown): Record<string, unknown> {
  if (typeof file !== 'object' || file === null || Array.isArray(file)) {
    throw new HoldfastError('CONFIG_INVALID', 'config.json: not a JSON object')
  }
  return structuredClone(file) as Record<string, unknown>
}

/** Text of the environment or a flag as JSON would have it; what does not convert stays for the schema to refuse. */
function fromText(kind: Setting['kind'], text: string): unknown {
  if (kind === 'list') return text === '' ? [] : text.split(',').map(item => item.trim())
  if (kind === 'boolean' && /^(true|false)$/.test(text)) return text === 'true'
  return kind === 'number' && /^-?\d+$/.test(text) ? Number(text) : text
}

function assign(raw: Record<string, unknown>, path: string, value: unknown): void {
  const [group, key] = path.split('.') as [string, string?]
  if (key === undefined) {
    raw[group] = value
    return
  }
  const inner = raw[group]
  raw[group] = { ...(typeof inner === 'object' && inner !== null ? inner : {}), [key]: value }
}

function settingError(
  raw: unknown,
  issue: Extract<SchemaResult, { issue: unknown }>['issue'],
  origin: ReadonlyMap<string, string>
): HoldfastError {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    return unknownSetting([...path, ...issue.keys.slice(0, 1)].join('.'), 'config.json')
  }
  const name = path.join('.')
  const found = SETTINGS.find(({ path: leaf }) => name === leaf || name.startsWith(`${leaf}.`))
  const source = origin.get(found?.path ?? name) ?? 'config.json'
  const allowed = found?.allowed ?? 'an object of settings'
  const value = path.reduce<unknown>(
    (at, key) => (at as Record<string, unknown> | undefined)?.[key],
    raw
  )
  return new HoldfastError(
    'CONFIG_INVALID',
    `${source}: ${name} is ${shorten(value)}, allowed: ${allowed}`,
    { details: { path: name, source, allowed }, hint: 'docs/CONFIG.md lists every setting' }
  )
}

function unknownSetting(name: string, source: string): HoldfastError {
  return new HoldfastError('CONFIG_INVALID', `${source}: there is no setting ${shorten(name)}`, {
    details: { path: name, source, allowed: SETTINGS.map(({ path }) => path) },
    hint: `settings are ${SETTINGS.map(({ path }) => path).join(', ')}`
  })
}

const SHOWN_CHARACTERS_MAX = 80

function shorten(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'missing')
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text
}

/** The content of docs/CONFIG.md. */
export function configMarkdown(): string {
  const rows = SETTINGS.map(({ path, env, allowed, description, default: value }) => {
    const text = typeof value === 'bigint' ? JSON.stringify(String(value)) : JSON.stringify(value)
    return `| \`${path}\` | \`${env}\` | \`${text}\` | ${allowed} | ${description} |`
  })
  return [
    '# Settings',
    '',
    'A node reads `config.json` in its home, then the environment, then `--set key=value` flags of `holdfast start`;',
    'the later one wins. Lists are JSON arrays in the file and comma-separated in the environment and in flags.',
    'Amounts of money are decimal strings of units (1 token = 10⁹ units).',
    '',
    '| setting | environment | default | allowed | meaning |',
    '|---|---|---|---|---|',
    ...rows,
    ''
  ].join('\n')
}
