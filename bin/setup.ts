/** Makes homes: a node of a new network, a node of an existing one, or one restored from its seed phrase. */
import { addressOf } from '../src/base/address.ts'
import { HoldfastError, messageOf } from '../src/base/errors.ts'
import { normalisePhrase } from '../src/base/seed.ts'
import { applyAssignments, resolveConfig } from '../src/node/config.ts'
import { createControlClient } from '../src/node/control/client.ts'
import { createHome, newPhrase, type OpenedHome } from '../src/node/home.ts'
import { homePaths, readJsonFile } from '../src/node/home-files.ts'
import { withPeerId } from './addresses.ts'
import type { Member } from './genesis.ts'

export interface InitHomeInit {
  home: string
  /** Home of a node whose network to join. */
  networkOf?: string
  /** Genesis file of the network to join. */
  genesisFile?: string
  roles?: string[]
  /** "key=value" settings to keep in config.json. */
  set: readonly string[]
}

export interface SetupResult {
  home: string
  address: string
  chainId: string
  roles: string[]
}

/** A network made by `init` has one validator, which begins with all of the money. */
const NEW_NETWORK_UNITS = 10n ** 18n

/** @throws HoldfastError ALREADY_EXISTS | HOME_MISSING | CONFIG_INVALID | INVALID_ARGUMENT */
export async function initHome(init: InitHomeInit): Promise<SetupResult> {
  const { home, networkOf, genesisFile } = init
  if (networkOf !== undefined) {
    const { genesis, bootstrap } = await networkOfHome(networkOf)
    return makeHome(home, genesis, rawConfig(init, ['client'], bootstrap))
  }
  if (genesisFile !== undefined) {
    return makeHome(home, await readGenesisFile(genesisFile), rawConfig(init, ['client'], []))
  }
  const config = rawConfig(init, ['validator', 'client'], [])
  if (!resolveConfig({ file: config }).roles.includes('validator')) {
    throw new HoldfastError('INVALID_ARGUMENT', 'a new network needs a validator', {
      hint: 'add --role validator, or join a network with --network-of or --genesis'
    })
  }
  const phrase = newPhrase()
  const { defaultParams } = await import('../src/ledger/params.ts')
  const { createGenesis } = await import('./genesis.ts')
  const founder: Member = { phrase, units: NEW_NETWORK_UNITS, validator: true }
  const genesis = createGenesis('holdfast', defaultParams(), [founder])
  return makeHome(home, genesis, config, phrase)
}

export interface RestoreHomeInit {
  home: string
  networkOf: string
  phrase: string
}

/** @throws HoldfastError INVALID_ARGUMENT (the phrase) | ALREADY_EXISTS | HOME_MISSING */
export async function restoreHome(init: RestoreHomeInit): Promise<SetupResult> {
  const phrase = normalisePhrase(init.phrase)
  const { genesis, bootstrap } = await networkOfHome(init.networkOf)
  return makeHome(init.home, genesis, { roles: ['client'], bootstrap }, phrase)
}

async function makeHome(
  home: string,
  genesis: unknown,
  config: Record<string, unknown>,
  phrase?: string
): Promise<SetupResult> {
  const { roles } = resolveConfig({ file: config })
  const made = await createHome({
    home,
    genesis,
    config,
    ...(phrase === undefined ? {} : { phrase })
  })
  return { home: made.paths.root, address: addressOfHome(made), chainId: chainIdOf(genesis), roles }
}

export function addressOfHome({ keys }: OpenedHome): string {
  return addressOf(keys.wallet.publicKey)
}

function rawConfig(
  { roles, set }: InitHomeInit,
  rolesDefault: string[],
  bootstrap: string[]
): Record<string, unknown> {
  const raw: Record<string, unknown> = { roles: roles ?? rolesDefault, bootstrap }
  applyAssignments(raw, set)
  return raw
}

/**
 * Genesis of another home, and where its network can be reached: its daemon if it runs, and its own bootstrap peers.
 */
async function networkOfHome(home: string): Promise<{ genesis: unknown; bootstrap: string[] }> {
  const paths = homePaths(home)
  const genesis = await readJsonFile(paths.genesis)
  if (genesis === undefined) {
    throw new HoldfastError('HOME_MISSING', `there is no node in ${paths.root}`)
  }
  const { bootstrap } = resolveConfig({ file: await readJsonFile(paths.config) })
  return { genesis, bootstrap: [...(await addressesOf(home)), ...bootstrap] }
}

/** Where the daemon of a home listens now; none when it does not run. */
async function addressesOf(home: string): Promise<string[]> {
  try {
    const { listen, peerId } = await createControlClient({ home }).status()
    return listen.map(address => withPeerId(address, peerId))
  } catch (error) {
    if (HoldfastError.is(error, 'NOT_RUNNING')) return []
    throw error
  }
}

async function readGenesisFile(file: string): Promise<unknown> {
  const genesis = await readJsonFile(file).catch(cause => {
    throw new HoldfastError('INVALID_ARGUMENT', `cannot read ${file}: ${messageOf(cause)}`, {
      cause
    })
  })
  if (genesis === undefined) {
    throw new HoldfastError('INVALID_ARGUMENT', `cannot read ${file}: no such file`)
  }
  const { parseGenesis } = await import('../src/ledger/genesis-json.ts')
  parseGenesis(genesis)
  return genesis
}

function chainIdOf(genesis: unknown): string {
  return String((genesis as { chainId?: unknown }).chainId ?? '')
}
