/**
 * Where everything of a node lives in its home, and how files there are written: to a temporary name, fsync, rename,
 * fsync of the folder, so that a crash leaves the old file or the new one. Light on purpose: the CLI imports it.
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { HoldfastError, messageOf } from '../base/errors.ts'
import { MIB } from '../base/limits.ts'

/** Absolute paths inside a home. */
export interface HomePaths {
  readonly root: string
  readonly config: string
  readonly genesis: string
  readonly keys: string
  readonly seed: string
  readonly controlToken: string
  /** {port, pid} of the running daemon. */
  readonly control: string
  /** Replica of the ledger. */
  readonly ledger: string
  /** The newest block that the light client of this home trusts. */
  readonly light: string
  /** What the validator has signed, apart from the ledger: restoring that one must not rewind this. */
  readonly validator: string
  /** Index of the piece store. */
  readonly store: string
  /** Piece bytes and nothing else. */
  readonly pieces: string
  /** Client state: manifests, deals, names. */
  readonly client: string
  /** Addresses and measurements of other peers. */
  readonly peers: string
  readonly log: string
}

export const PRIVATE_FILE_MODE = 0o600
export const PRIVATE_FOLDER_MODE = 0o700
const JSON_FILE_BYTES_MAX: number = 16 * MIB

export function homePaths(home: string): HomePaths {
  const root = resolve(home)
  return {
    root,
    config: join(root, 'config.json'),
    genesis: join(root, 'genesis.json'),
    keys: join(root, 'keys'),
    seed: join(root, 'keys', 'seed'),
    controlToken: join(root, 'control.token'),
    control: join(root, 'control.json'),
    ledger: join(root, 'ledger'),
    light: join(root, 'light.json'),
    validator: join(root, 'validator'),
    store: join(root, 'store'),
    pieces: join(root, 'pieces'),
    client: join(root, 'client'),
    peers: join(root, 'peers'),
    log: join(root, 'daemon.log')
  }
}

/** Replaces `file` as a whole, durably. The folder must exist. */
export async function writeFileAtomic(
  file: string,
  data: string | Uint8Array,
  mode: number = PRIVATE_FILE_MODE
): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(data)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(file))
}

/** Makes a rename in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Creates a folder that only its owner may enter, whatever the umask. */
export async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER_MODE })
  await chmod(folder, PRIVATE_FOLDER_MODE)
}

/**
 * The parsed content of a JSON file of ours; undefined when there is no such file.
 * @throws HoldfastError CONFIG_INVALID when it is too large or not JSON
 */
export async function readJsonFile(file: string): Promise<unknown> {
  let text: string
  try {
    const { size } = await stat(file)
    if (size > JSON_FILE_BYTES_MAX) {
      throw new HoldfastError('CONFIG_INVALID', `${file} has ${size} bytes, too large to be ours`)
    }
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new HoldfastError('CONFIG_INVALID', `${file} is not JSON: ${messageOf(cause)}`, { cause })
  }
}

/** True for the error of a file or folder that does not exist. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return code === 'ENOENT' || code === 'ENOTDIR'
}
