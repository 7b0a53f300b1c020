/**
 * What the size of the state costs: a block of 200 changed records, committed and synced, on states of different sizes
 * (it grows like the depth of the state tree), getting the state by a snapshot against executing all blocks, and the
 * memory of a process that works on a million records. Two areas: the million takes minutes to fill.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openLedgerDb, StateStore } from '../src/ledger/state/store.ts'
import { compare, rowOf, skippedRow, timed } from './harness.ts'
import { rowName } from './row-name.ts'
import { rounded } from './statistics.ts'
import { hasProcessFacts, NO_PROCESS_FACTS } from './support/process-facts.ts'
import { commitBlock, fillState } from './support/state.ts'
import { openSyncedChain } from './support/synced-chain.ts'
import { makeTempFolder } from './support/temp-folder.ts'
import type { Area, BenchContext, Contestant, Row } from './types.ts'

const SMALL = 1_000
const LARGE = 100_000
const MILLION = 1_000_000
const BLOCKS_PER_SAMPLE = 10
const MEMORY_MIB_MAX = 256
const CHILD = fileURLToPath(new URL('children/state-memory.ts', import.meta.url))

export const area: Area = {
  name: 'ledger-state',
  about: 'cost of a block by size of the state; state sync against full replay',
  onlyWhenNamed: true,
  async *run(context) {
    const states = await openStates(context, [SMALL, LARGE])
    try {
      yield* commitRows(context, states)
    } finally {
      for (const { close } of states) await close()
    }
    yield await syncRow(context)
  }
}

export const millionArea: Area = {
  name: 'ledger-million',
  about: 'cost of a block, and memory, with a million records in the state',
  onlyWhenNamed: true,
  async *run(context) {
    const states = await openStates(context, [SMALL, MILLION])
    try {
      yield* commitRows(context, states, 'ledger-million')
      const [, million] = states
      await million!.release()
      yield await memoryRow(context, million!.path)
    } finally {
      for (const { close } of states) await close()
    }
  }
}

interface BenchState {
  records: number
  path: string
  store: StateStore
  /** Closes the database, keeps the folder. */
  release(): Promise<void>
  close(): Promise<void>
}

async function openStates(context: BenchContext, sizes: readonly number[]): Promise<BenchState[]> {
  const states: BenchState[] = []
  for (const records of sizes) {
    context.note(`ledger-state: filling ${records} records`)
    const folder = await makeTempFolder()
    const db = await openLedgerDb(folder.path)
    const store = new StateStore(db)
    let released: Promise<void> | undefined
    const release = (): Promise<void> => (released ??= store.close().then(() => db.close()))
    const close = async (): Promise<void> => {
      await release()
      await folder.remove()
    }
    states.push({ records, path: folder.path, store, release, close })
    await fillState(store, records, context.signal)
  }
  return states
}

async function* commitRows(
  context: BenchContext,
  states: readonly BenchState[],
  areaName = 'ledger-state'
): AsyncGenerator<Row> {
  const nameOf = ({ records }: BenchState): string => `records-${records}`
  const rounds = await compare(
    states.map(state => commits(nameOf(state), state)),
    context
  )
  const [smallest] = states
  for (const state of states) {
    const peers = state === smallest ? [] : [nameOf(smallest!)]
    const name = rowName(areaName, 'commit', { n: state.records })
    yield rowOf(rounds, { name, ours: nameOf(state), peers, unit: 'ops', basis: 'wall' })
  }
}

function commits(name: string, { store, records }: BenchState): Contestant {
  let block = 0
  const sample: Contestant['sample'] = () =>
    timed(async () => {
      for (let i = 0; i < BLOCKS_PER_SAMPLE; i++) await commitBlock(store, records, block++)
      return BLOCKS_PER_SAMPLE
    })
  return { name, prepare: async () => void (await sample()), sample }
}

/** One round: each way takes long, and starts from nothing. */
async function syncRow({ signal, note }: BenchContext): Promise<Row> {
  note(`ledger-state: a chain that leaves ${LARGE} records`)
  const chain = await openSyncedChain(LARGE, signal)
  const contestant = (name: string, work: () => Promise<void>): Contestant => ({
    name,
    sample: () =>
      timed(async () => {
        await work()
        return LARGE
      })
  })
  try {
    const ways = [contestant('sync', chain.sync), contestant('full-replay', chain.replay)]
    const rounds = await compare(ways, { rounds: 1, signal })
    const name = rowName('ledger-state', 'sync', { n: LARGE })
    return rowOf(rounds, { name, ours: 'sync', peers: ['full-replay'], unit: 'ops', basis: 'wall' })
  } finally {
    await chain.close()
  }
}

async function memoryRow({ signal }: BenchContext, path: string): Promise<Row> {
  const name = rowName('ledger-million', 'memory', { n: MILLION })
  if (!hasProcessFacts) return skippedRow(name, NO_PROCESS_FACTS)
  const args = [CHILD, path, String(MILLION)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { signal })
  const { idleMiB, peakMiB } = JSON.parse(stdout) as { idleMiB: number; peakMiB: number }
  return {
    ...{ name, basis: 'wall', growthMiB: rounded(peakMiB - idleMiB) },
    ...{ idleMiB: rounded(idleMiB), peakMiB: rounded(peakMiB), limitMiB: MEMORY_MIB_MAX },
    ...{ spread: 0, ratios: {}, ratioSpreads: {}, rounds: 1, guard: false }
  }
}
