/** One seed from its first event to its verdict. */
import { equal, toHex } from '../../src/base/bytes.ts'
import { isShaped } from '../../src/ledger/consensus/certs.ts'
import { RULES, type Rules } from '../../src/ledger/consensus/height-run.ts'
import type { Timeouts } from '../../src/ledger/consensus/types.ts'
import { type Genesis, genesisHashOf } from '../../src/ledger/genesis.ts'
import { defaultParams } from '../../src/ledger/params.ts'
import { UNITS_PER_POWER } from '../../src/ledger/types/validator.ts'
import { beginSpam, lyingRules, tamperOf } from './byzantine.ts'
import { Checker } from './checker.ts'
import { Faults } from './faults.ts'
import { clientKey, rememberingVerifier, validatorKeys } from './keys.ts'
import { CLIENTS, Load } from './load.ts'
import { Network } from './network.ts'
import { type NodeObserver, SimNode, type Tamper } from './node.ts'
import { createPrng, type Prng } from './prng.ts'
import { type ByzantineKind, type Scenario, type ScenarioOptions, scenarioOf } from './scenario.ts'
import { type Tracer, World } from './world.ts'

export interface SeedOptions extends ScenarioOptions {
  /** The parts under test; mutants take their place. */
  modules?: Rules & { isShaped: typeof isShaped }
  tracer?: Tracer
}

export interface SeedResult {
  seed: number
  scenario: Scenario
  forks: string[]
  doubleSigns: string[]
  accused: string[]
  /** Why the ledger did not go on, or what else broke. */
  stuck: string[]
  /** Byzantine validators that evidence was given against. */
  caught: number
  events: number
  heights: bigint
  /** Validator sets that ruled. */
  sets: number
  crashes: number
  traceHash: string
}

const BLOCK_INTERVAL_MS = 200
const TIMEOUTS: Timeouts = { leaderMs: 200, leaderMsMax: 8_000, repeatMs: 500 }
/** Far above what a height needs, and what files change at. */
const JOURNAL_BYTES_MAX = 300_000
const FOLLOW_MS = 400
/** After the faults, everybody has to be so many heights further. */
const HEIGHTS_AFTER = 2n
/** Enough for some epochs. */
const SET_HEIGHTS_AFTER = 12n
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const random = createPrng(`holdfast/${seed}`)
  const scenario = scenarioOf(random.split('scenario'), options)
  const simulation = new Simulation(seed, random, scenario, options)
  return await simulation.run()
}

class Simulation {
  readonly #seed: number
  readonly #random: Prng
  readonly #scenario: Scenario
  readonly #world: World
  readonly #network: Network
  readonly #genesis: Genesis
  readonly #checker: Checker
  readonly #nodes: SimNode[] = []
  readonly #stuck: string[] = []

  constructor(seed: number, random: Prng, scenario: Scenario, options: SeedOptions) {
    this.#seed = seed
    this.#random = random
    this.#scenario = scenario
    const modules = options.modules ?? { ...RULES, isShaped }
    this.#world = new World(options.tracer)
    this.#network = new Network(this.#world, random.split('network'))
    this.#genesis = genesisOf(scenario)
    const { chainId } = this.#genesis
    const network = { chainId, genesisHash: genesisHashOf(this.#genesis) }
    const verifier = rememberingVerifier(network, modules.isShaped)
    this.#checker = new Checker(verifier, key => this.#isHonest(key))
    this.#checker.setAt(1n, this.#genesis.validators)
    const joins = scenario.changesSet ? [undefined] : []
    for (const [index, kind] of [...scenario.byzantine, ...joins].entries()) {
      const ids = kind === 'twins' ? [`v${index}a`, `v${index}b`] : [`v${index}`]
      for (const id of ids) {
        const node = new SimNode({
          id,
          index,
          genesis: this.#genesis,
          world: this.#world,
          network: this.#network,
          random: random.split(`node/${id}`),
          verifier,
          timeouts: TIMEOUTS,
          rules: kind === 'liar' ? lyingRules(modules) : modules,
          observer: this.#observer(),
          isTwin: kind === 'twins'
        })
        if (kind !== undefined) node.tamper = this.#tamperOf(kind, id)
        if (kind === 'spammer') {
          beginSpam(node, { world: this.#world, random: random.split(`spam/${id}`), network })
        }
        this.#nodes.push(node)
        this.#network.join(node)
      }
    }
  }

  async run(): Promise<SeedResult> {
    const { chaosMs, healedMs, eventsMax, changesSet } = this.#scenario
    const [world, nodes] = [this.#world, this.#nodes]
    const random = this.#random.split('faults')
    const faults = new Faults({
      world,
      network: this.#network,
      nodes,
      scenario: this.#scenario,
      random
    })
    for (const node of nodes) node.boot()
    faults.begin()
    new Load({ world, nodes, scenario: this.#scenario, random: this.#random.split('load') }).begin()
    if (this.#scenario.hasFollowers) this.#beginFollowing(this.#random.split('follow'))
    await world.run(chaosMs, () => this.#hasFailed())
    faults.end()
    const goal = this.#checker.height + (changesSet ? SET_HEIGHTS_AFTER : HEIGHTS_AFTER)
    const isDone = (): boolean =>
      this.#hasFailed() ||
      world.events > eventsMax ||
      this.#sound().every(({ height }) => height >= goal)
    await world.run(chaosMs + healedMs, isDone)
    await this.#judge(goal)
    return this.#result()
  }

  #tamperOf(kind: ByzantineKind, id: string): Tamper | undefined {
    const isOver = (): boolean => this.#world.nowMs > this.#scenario.chaosMs
    return tamperOf(kind, { random: this.#random.split(`tamper/${id}`), isOver })
  }

  #result(): SeedResult {
    const { forks, doubleSigns, accused, broken } = this.#checker.verdict
    return {
      seed: this.#seed,
      scenario: this.#scenario,
      forks,
      doubleSigns,
      accused,
      stuck: [...this.#stuck, ...broken],
      caught: this.#checker.caught.size,
      events: this.#world.events,
      heights: this.#checker.height,
      sets: this.#checker.sets,
      crashes: this.#nodes.reduce((sum, { crashes }) => sum + crashes, 0),
      traceHash: this.#world.traceHash()
    }
  }

  /** Honest nodes whose disks work. */
  #sound(): SimNode[] {
    return this.#nodes.filter(node => {
      const isFaulty = node.isDamaged || node.hasDiskErrors
      return !isFaulty && this.#scenario.byzantine[node.index] === undefined
    })
  }

  #isHonest(publicKey: Uint8Array): boolean {
    const index = this.#genesis.validators.findIndex(known => equal(known.publicKey, publicKey))
    // who joins later is honest
    return this.#scenario.byzantine[index] === undefined
  }

  #hasFailed(): boolean {
    const { forks, doubleSigns, accused, broken } = this.#checker.verdict
    return (
      forks.length + doubleSigns.length + accused.length + broken.length + this.#stuck.length > 0
    )
  }

  async #judge(goal: bigint): Promise<void> {
    if (this.#hasFailed()) return
    for (const node of this.#sound()) {
      if (node.height < goal) {
        const { height, view } = node.driver?.position ?? { height: 0n, view: 0n }
        this.#stuck.push(`${node.id} stands at ${height}/${view}, the goal was ${goal}`)
      }
      await node.replica?.audit().catch((error: unknown) => {
        this.#stuck.push(`${node.id} does not add up: ${String(error)}`)
      })
    }
    for (const node of this.#nodes) {
      if (node.isDamaged && node.isUp) this.#stuck.push(`${node.id} runs on a damaged journal`)
      const bytes = node.disk.files[0].length + node.disk.files[1].length
      if (bytes > JOURNAL_BYTES_MAX) this.#stuck.push(`${node.id} has a journal of ${bytes} bytes`)
    }
  }

  #observer(): NodeObserver {
    const isHonest = (node: SimNode): boolean => this.#scenario.byzantine[node.index] === undefined
    return {
      sent: (node, bytes) => this.#checker.sent(node.keys.vote.publicKey, bytes),
      applied: (node, result) => {
        this.#world.note(
          `${node.id} applies ${result.height} ${toHex(result.appHash).slice(0, 16)}`
        )
        if (!isHonest(node)) return
        this.#checker.applied(node.id, result)
        this.#checker.setAt(result.height + 1n, node.replica!.validators())
      },
      evidence: (node, evidence) => {
        if (isHonest(node)) this.#checker.evidence(node.id, evidence)
      },
      punished: (node, peer, reason) => {
        const accused = this.#nodes.find(({ name }) => name === peer)!
        if (isHonest(node) && isHonest(accused)) {
          this.#checker.verdict.accused.push(`${node.id} blames ${peer} for ${reason}`)
        }
      },
      problem: (node, problem) => {
        this.#world.note(`${node.id}: ${problem}`)
        const isExpected = node.hasDiskErrors || (node.isDamaged && problem.includes('is damaged'))
        if (isHonest(node) && !isExpected) this.#stuck.push(`${node.id}: ${problem}`)
      }
    }
  }

  #beginFollowing(random: Prng): void {
    const next = (): void => {
      const up = this.#nodes.filter(({ replica }) => replica !== undefined)
      if (up.length > 1) random.pick(up).follow(random.pick(up))
      this.#world.after(random.between(1, (2 * FOLLOW_MS) / this.#nodes.length), next)
    }
    this.#world.after(FOLLOW_MS, next)
  }
}

const genesisCache = new Map<string, Genesis>()

function genesisOf({ powers, revealEveryHeights, changesSet }: Scenario): Genesis {
  const id = `${powers.join()}/${revealEveryHeights}/${changesSet}`
  let genesis = genesisCache.get(id)
  if (genesis === undefined) {
    genesis = {
      chainId: 'sim-1',
      genesisTimeMs: 1_700_000_000_000n,
      params: {
        ...defaultParams(),
        blockIntervalMs: BLOCK_INTERVAL_MS,
        feeBaseUnits: 5n,
        feePerKiBUnits: 2n,
        revealEveryHeights,
        epochHeights: changesSet ? 3 : defaultParams().epochHeights,
        minBondUnits: UNITS_PER_POWER
      },
      accounts: [
        ...powers.map((_, i) => ({
          account: validatorKeys(i).wallet.publicKey,
          units: 1_000_000n
        })),
        ...Array.from({ length: CLIENTS }, (_, i) => ({
          account: clientKey(i).publicKey,
          units: 1_000_000n
        }))
      ],
      validators: powers.map((power, i) => {
        const { vote, wallet, beacon } = validatorKeys(i)
        return {
          publicKey: vote.publicKey,
          power,
          account: wallet.publicKey,
          beaconKey: beacon.publicKey
        }
      })
    }
    genesisCache.set(id, genesis)
  }
  return genesis
}
