/**
 * What the daemon leaves in its home so that the CLI finds it and is let in: control.json {port, pid} and a token that
 * only the owner can read. The token is new at every start, so that a program which later takes the port of a daemon
 * that died learns nothing of value.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { HoldfastError } from '../../base/errors.ts'
import {
  type HomePaths,
  homePaths,
  isMissing,
  readJsonFile,
  writeFileAtomic
} from '../home-files.ts'

const TOKEN_BYTES = 32

/** Where a daemon answers. */
export interface ControlEndpoint {
  port: number
  pid: number
  token: string
}

export function createToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

/** In constant time, whatever the lengths. */
export function tokensEqual(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** The token first: whoever sees control.json can use it. */
export async function publishEndpoint(paths: HomePaths, endpoint: ControlEndpoint): Promise<void> {
  const { port, pid, token } = endpoint
  await writeFileAtomic(paths.controlToken, `${token}\n`)
  await writeFileAtomic(paths.control, `${JSON.stringify({ port, pid })}\n`)
}

export async function withdrawEndpoint(paths: HomePaths): Promise<void> {
  await rm(paths.control, { force: true })
  await rm(paths.controlToken, { force: true })
}

/**
 * The endpoint of the daemon that runs for a home.
 * @throws HoldfastError NOT_RUNNING
 */
export async function readEndpoint(home: string): Promise<ControlEndpoint> {
  const paths = homePaths(home)
  const control = await readJsonFile(paths.control)
  if (control === undefined) throw await notRunning(paths)
  const { port, pid } = control as { port?: unknown; pid?: unknown }
  if (!isPositive(port) || !isPositive(pid) || !isAlive(pid)) throw await notRunning(paths)
  try {
    const token = (await readFile(paths.controlToken, 'utf8')).trim()
    return { port, pid, token }
  } catch (error) {
    if (isMissing(error)) throw await notRunning(paths)
    throw error
  }
}

function isPositive(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

/** The error for a home whose daemon does not answer; the hint depends on whether there is a node at all. */
export async function notRunning(paths: HomePaths): Promise<HoldfastError> {
  const config = await readJsonFile(paths.config).catch(() => ({}))
  const hint =
    config === undefined
      ? 'there is no node in this home yet: run `holdfast init`, then `holdfast start --detach`'
      : 'start it with `holdfast start --detach`'
  return new HoldfastError('NOT_RUNNING', `no daemon is running for ${paths.root}`, { hint })
}

/** True while a process exists. A zombie has ended, although its id is still taken until its parent collects it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return !isZombie(pid)
}

function isZombie(pid: number): boolean {
  if (process.platform !== 'linux') return false
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return line.slice(line.lastIndexOf(')') + 2).startsWith('Z')
  } catch (error) {
    return isMissing(error)
  }
}
