/**
 * The home of a node: created once with its seed phrase, network and settings, opened at every start. `config.json` is
 * written last, so a home either has all of its files or is not a home yet.
 */
import { randomBytes } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { HoldfastError } from '../base/errors.ts'
import {
  deriveKeys,
  type KeySet,
  normalisePhrase,
  PHRASE_ENTROPY_BYTES,
  phraseFromEntropy
} from '../base/seed.ts'
import {
  type HomePaths,
  homePaths,
  isMissing,
  makePrivateFolder,
  readJsonFile,
  writeFileAtomic
} from './home-files.ts'

export interface CreateHomeInit {
  home: string
  /** 24 words. @default a new random phrase */
  phrase?: string
  /** The network's genesis as JSON. */
  genesis: unknown
  /** Settings that differ from the defaults, as they stand in config.json. */
  config: Record<string, unknown>
}

/** What a home says about its node; `config` and `genesis` are not validated yet. */
export interface OpenedHome {
  paths: HomePaths
  config: unknown
  genesis: unknown
  phrase: string
  keys: KeySet
}

/** 24 random words. */
export function newPhrase(): string {
  return phraseFromEntropy(new Uint8Array(randomBytes(PHRASE_ENTROPY_BYTES)))
}

/**
 * The keys of a home that has no network yet: those of its seed, which is made if there is none. `createHome` goes on
 * from there.
 * @throws HoldfastError ALREADY_EXISTS when a node is there | INVALID_ARGUMENT (damaged seed file)
 */
export async function prepareHome(home: string): Promise<KeySet> {
  const paths = homePaths(home)
  if (await exists(paths.config)) throw alreadyExists(paths, paths.config)
  const seed = await readSeed(paths)
  if (seed !== undefined) return deriveKeys(normalisePhrase(seed))
  const phrase = newPhrase()
  await makePrivateFolder(paths.root)
  await makePrivateFolder(paths.keys)
  await writeFileAtomic(paths.seed, `${phrase}\n`)
  return deriveKeys(phrase)
}

/**
 * Makes a home. An existing seed is never overwritten: a home that was prepared keeps its own.
 * @throws HoldfastError ALREADY_EXISTS | INVALID_ARGUMENT (bad phrase)
 */
export async function createHome(init: CreateHomeInit): Promise<OpenedHome> {
  const paths = homePaths(init.home)
  if (await exists(paths.config)) throw alreadyExists(paths, paths.config)
  const prepared = await readSeed(paths)
  const isPrepared = init.phrase === undefined && !(await exists(paths.genesis))
  if (prepared !== undefined && !isPrepared) throw alreadyExists(paths, paths.seed)
  const given = init.phrase ?? prepared
  const phrase = given === undefined ? newPhrase() : normalisePhrase(given)
  await makePrivateFolder(paths.root)
  for (const folder of [paths.keys, paths.ledger, paths.store, paths.pieces]) {
    await makePrivateFolder(folder)
  }
  for (const folder of [paths.client, paths.peers]) await makePrivateFolder(folder)
  await writeFileAtomic(paths.seed, `${phrase}\n`)
  await writeFileAtomic(paths.genesis, prettyJson(init.genesis))
  await writeFileAtomic(paths.config, prettyJson(init.config))
  return { paths, config: init.config, genesis: init.genesis, phrase, keys: deriveKeys(phrase) }
}

/** @throws HoldfastError HOME_MISSING | CONFIG_INVALID | INVALID_ARGUMENT (damaged seed file) */
export async function openHome(home: string): Promise<OpenedHome> {
  const paths = homePaths(home)
  const config = await readJsonFile(paths.config)
  const genesis = await readJsonFile(paths.genesis)
  const seed = await readSeed(paths)
  if (config === undefined || genesis === undefined || seed === undefined) {
    throw new HoldfastError('HOME_MISSING', `there is no node in ${paths.root}`, {
      hint: 'create one with `holdfast init`, or choose its folder with --home'
    })
  }
  const phrase = normalisePhrase(seed)
  return { paths, config, genesis, phrase, keys: deriveKeys(phrase) }
}

function alreadyExists(paths: HomePaths, file: string): HoldfastError {
  return new HoldfastError('ALREADY_EXISTS', `there is a node in ${paths.root} already`, {
    details: { file },
    hint: 'choose another folder with --home'
  })
}

async function readSeed(paths: HomePaths): Promise<string | undefined> {
  try {
    return await readFile(paths.seed, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

function prettyJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
