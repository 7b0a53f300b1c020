/**
 * The homes of a development network in one folder: made once, found again by every later run. They are made under
 * another name and renamed at the end, so a folder holds a whole network or none.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { HoldfastError } from '../../src/base/errors.ts'
import { UNITS_PER_TOKEN, type Units } from '../../src/base/money.ts'
import { devnetParams } from '../../src/ledger/params.ts'
import type { Role } from '../../src/node/config.ts'
import { createHome, newPhrase } from '../../src/node/home.ts'
import { isMissing, readJsonFile, writeFileAtomic } from '../../src/node/home-files.ts'
import { createGenesis } from '../genesis.ts'

export interface DevnetShape {
  providers: number
  validators: number
  clients: number
  periodMs: number
}

export interface DevnetNode {
  name: string
  home: string
  role: Role
}

export const DEVNET_DEFAULTS: DevnetShape = {
  providers: 10,
  validators: 1,
  clients: 1,
  periodMs: 5_000
}

/** Twelve replicas on one machine execute every block: longer than half a second keeps two cores free for the work. */
const BLOCK_INTERVAL_MS = 1_250
/** One machine, and often a busy one. */
const LEADER_TIMEOUT_MS = 750
/** A period has four blocks or more, even when it is very short. */
const PERIOD_BLOCKS_MIN = 4

/** Sums stay far below the supply cap with a hundred nodes of each kind. */
const UNITS_OF: Readonly<Record<Role, Units>> = {
  client: 1_000_000n * UNITS_PER_TOKEN,
  provider: 100_000n * UNITS_PER_TOKEN,
  validator: 100_000n * UNITS_PER_TOKEN
}

/**
 * The nodes of the network in `dir`, which is made first if there is none.
 * @throws HoldfastError INVALID_ARGUMENT when the folder holds something else, or a network of another shape
 */
export async function openDevnet(dir: string, wanted: Partial<DevnetShape>): Promise<DevnetNode[]> {
  const root = resolve(dir)
  const found = (await readJsonFile(shapeFile(root))) as DevnetShape | undefined
  if (found === undefined) {
    const shape = { ...DEVNET_DEFAULTS, ...wanted }
    await createDevnet(root, shape)
    return nodesOf(root, shape)
  }
  for (const [name, value] of Object.entries(wanted)) {
    const has = found[name as keyof DevnetShape]
    if (value === has) continue
    throw new HoldfastError('INVALID_ARGUMENT', `${root} has ${name} = ${has}, not ${value}`, {
      hint: 'leave the option out to resume this network, or choose another --dir'
    })
  }
  return nodesOf(root, found)
}

function shapeFile(root: string): string {
  return join(root, 'devnet.json')
}

/** Validators first: the others find the network through them. */
function nodesOf(root: string, shape: DevnetShape): DevnetNode[] {
  const kind = (role: Role, count: number): DevnetNode[] =>
    Array.from({ length: count }, (_, i) => {
      const name = `${role}-${i + 1}`
      return { name, home: join(root, name), role }
    })
  return [
    ...kind('validator', shape.validators),
    ...kind('provider', shape.providers),
    ...kind('client', shape.clients)
  ]
}

async function createDevnet(root: string, shape: DevnetShape): Promise<void> {
  if (!(await isEmpty(root))) {
    throw new HoldfastError('INVALID_ARGUMENT', `${root} holds something else than a network`, {
      hint: 'choose an empty or new folder with --dir'
    })
  }
  await mkdir(dirname(root), { recursive: true })
  const part = `${root}.${randomBytes(6).toString('hex')}.part`
  await mkdir(part)
  try {
    await createHomes(part, shape)
    await writeFileAtomic(shapeFile(part), `${JSON.stringify(shape)}\n`)
    await rmdir(root).catch(ignoreMissing)
    await rename(part, root)
  } catch (error) {
    await rm(part, { recursive: true, force: true })
    throw error
  }
}

async function createHomes(root: string, shape: DevnetShape): Promise<void> {
  const blockIntervalMs = Math.min(BLOCK_INTERVAL_MS, Math.ceil(shape.periodMs / PERIOD_BLOCKS_MIN))
  const params = devnetParams({ periodMs: shape.periodMs, blockIntervalMs })
  const nodes = nodesOf(root, shape).map(node => ({ ...node, phrase: newPhrase() }))
  const members = nodes.map(({ phrase, role }) => ({
    phrase,
    units: UNITS_OF[role],
    validator: role === 'validator'
  }))
  const genesis = createGenesis('devnet', params, members)
  await Promise.all(
    nodes.map(({ home, phrase, role }) =>
      createHome({ home, phrase, genesis, config: configOf(role) })
    )
  )
}

function configOf(role: Role): Record<string, unknown> {
  const config = { roles: [role] }
  return role === 'validator' ? { ...config, leaderTimeoutMs: LEADER_TIMEOUT_MS } : config
}

async function isEmpty(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0
  } catch (error) {
    ignoreMissing(error)
    return true
  }
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error
}
