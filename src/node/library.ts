/**
 * Holdfast inside another program: a node in this process, or a client of a daemon that runs already. The home is made
 * once, by `holdfast init` or `createHome`.
 */
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { type Logger, silentLogger } from '../base/ports.ts'
import { resolveConfig } from './config.ts'
import { createControlClient } from './control/client.ts'
import type { ControlApi } from './control/types.ts'
import { openHome } from './home.ts'
import { createNode, type HoldfastNode } from './node.ts'

export interface OpenNodeInit {
  /** Folder of the node. No daemon may be running for it. */
  home: string
  /** "key=value" settings of docs/CONFIG.md, stronger than config.json: for example "roles=provider". */
  set?: readonly string[]
  /** @default nothing is logged */
  log?: Logger
}

export interface CreateClientInit {
  /** Folder of a node whose daemon runs. */
  home: string
  /** Cancels every call. */
  signal?: AbortSignal
}

/**
 * The node of a home, in this process; `start` it, and await `whenUsable` before `node.api` is used.
 * @throws HoldfastError HOME_MISSING | HOME_IN_USE | CONFIG_INVALID | WRONG_NETWORK
 */
export async function openNode({ home, set = [], log }: OpenNodeInit): Promise<HoldfastNode> {
  const { config, ...opened } = await openHome(home)
  return await createNode({
    ...opened,
    config: resolveConfig({ file: config, set }),
    log: log ?? silentLogger,
    version: packageVersion()
  })
}

/**
 * The API of the daemon that runs for a home, the same that `node.api` offers. Nothing is contacted before a method is
 * called; every method may then throw NOT_RUNNING.
 */
export function createClient(init: CreateClientInit): ControlApi {
  return createControlClient(init)
}

/** Found from the checkout and from dist/ alike. */
function packageVersion(): string {
  const file = findPackageJSON(import.meta.url)
  if (file === undefined) throw new Error('package.json of holdfast is missing')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
