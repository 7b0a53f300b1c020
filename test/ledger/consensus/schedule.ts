/**
 * One height under a random schedule that a seed repeats: cores with signers and durable memory, crashes between any
 * two effects, loss, duplication, reordering, timers at any moment, and one Byzantine validator that sees everything,
 * votes for everything and hands certificates to whom it likes. Then the network heals, and everybody has to decide.
 */
import { equal, toHex } from '../../../src/base/bytes.ts'
import { totalPower } from '../../../src/ledger/certificate.ts'
import { VOTE_VIEWS_KEPT } from '../../../src/ledger/consensus/limits.ts'
import type {
  Effect,
  Input,
  Message,
  TimerKind,
  Verifier
} from '../../../src/ledger/consensus/types.ts'
import { seededRandom, type TestRandom } from '../../proofs/random.ts'
import { Adversary } from './adversary.ts'
import { Audit } from './audit.ts'
import { Member, type SignEffect } from './member.ts'
import * as real from './modules.ts'
import type { Modules } from './mutants.ts'
import { type Flight, Pool } from './pool.ts'
import { Actors, blockNamed, cheapVerifier } from './support.ts'

const BYZANTINE = 'byzantine'
const EVENTS_MAX = 240
const HEALING_ROUNDS_MAX = 60

export interface ScheduleOutcome {
  seed: number
  problems: string[]
  isByzantineAccused: boolean
  steps: number
  views: bigint
}

const POWERS: readonly (readonly bigint[])[] = [
  [1n, 1n, 1n, 1n],
  [1n, 1n, 1n, 1n],
  [1n, 1n, 1n, 1n, 1n],
  [3n, 2n, 2n, 2n],
  [5n, 1n, 4n, 3n, 3n],
  [2n, 2n, 2n, 1n, 1n, 1n, 1n]
]

export function runSchedule(
  seed: number,
  modules: Modules = real,
  powers?: readonly bigint[]
): ScheduleOutcome {
  const world = new World(seed, modules, powers)
  world.disturb()
  world.heal()
  return world.outcome()
}

class World {
  readonly #seed: number
  readonly #random: TestRandom
  readonly #actors: Actors
  readonly #verifier: Verifier
  readonly #byzantine: number
  readonly #members: Member[] = []
  readonly #audit = new Audit()
  readonly #adversary: Adversary
  readonly #pool: Pool
  #isHealed = false
  #isAccused = false
  #steps = 0

  constructor(seed: number, modules: Modules, fixed: readonly bigint[] | undefined) {
    this.#seed = seed
    this.#random = seededRandom(seed)
    this.#pool = new Pool(this.#random, this.#audit)
    this.#verifier = cheapVerifier(modules.isShaped)
    const powers = fixed ?? POWERS[this.#random.int(POWERS.length)]!
    this.#actors = new Actors(powers)
    const total = totalPower(this.#actors.validators)
    const weak = powers.flatMap((power, i) => (3n * power < total ? [i] : []))
    this.#byzantine = weak[this.#random.int(weak.length)]!
    const { certs } = this.#audit
    this.#adversary = new Adversary(this.#byzantine, this.#actors, modules, this.#random, certs)
    const parts = { modules, actors: this.#actors, verifier: this.#verifier }
    for (let i = 0; i < powers.length; i++) {
      if (i !== this.#byzantine) this.#members.push(new Member(`v${i}`, i, parts))
    }
    this.#members.push(new Member('observer', undefined, parts))
    for (const member of this.#members) this.#take(member, { type: 'start' })
  }

  outcome(): ScheduleOutcome {
    this.#audit.checkChain()
    const views = this.#members.map(({ core }) => core.view)
    return {
      seed: this.#seed,
      problems: [...this.#audit.problems],
      isByzantineAccused: this.#isAccused,
      steps: this.#steps,
      views: views.reduce((a, b) => (a > b ? a : b))
    }
  }

  /** Anything may happen. */
  disturb(): void {
    const events = this.#random.int(EVENTS_MAX)
    const crashes = [0, 6, 10][this.#random.int(3)]!
    for (let i = 0; i < events; i++) {
      const kind = this.#random.int(100)
      if (kind < 60) this.#deliverAny()
      else if (kind < 72) this.#fireAny()
      else if (kind < 72 + crashes) this.#crashOrRestart()
      else this.#misbehave()
    }
  }

  /** Everybody is up, nothing is lost, timers are long: a bounded number of rounds has to decide. */
  heal(): void {
    this.#isHealed = true
    for (const member of this.#members) if (!member.isUp) this.#restart(member)
    for (let round = 0; round < HEALING_ROUNDS_MAX; round++) {
      this.#drain()
      if (this.#members.every(({ decided }) => decided !== undefined)) return
      const timer = (['repeat', 'leader', 'view'] as const)[round % 3]!
      for (const member of this.#members) this.#fire(member, timer)
    }
    const stuck = this.#members.filter(({ decided }) => decided === undefined)
    for (const { name, core } of stuck) this.#audit.problem(`stuck: ${name} in view ${core.view}`)
  }

  /** A step and everything that follows from it inside the member; a crash may cut it off between two effects. */
  #take(member: Member, input: Input): void {
    this.#steps++
    const inputs = [input]
    for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
      for (const effect of member.step(next)) {
        if (!this.#isHealed && this.#random.int(400) === 0 && member.self !== undefined) {
          member.crash()
          return
        }
        const reply = this.#carryOut(member, effect)
        if (reply !== undefined) inputs.push(reply)
      }
    }
    const { heard, viewCertified } = member.core
    const isFar = [...heard.keys()].some(view => view > viewCertified + 2n)
    if (isFar || heard.size > Number(VOTE_VIEWS_KEPT) + 2)
      this.#audit.problem('memory: votes of many views')
  }

  #carryOut(member: Member, effect: Effect): Input | undefined {
    switch (effect.type) {
      case 'persist-block':
        member.disk.blocks.push(effect)
        return undefined
      case 'persist-cert':
        member.disk.certs.push(effect.cert)
        this.#audit.certificate(effect.cert)
        return undefined
      case 'build':
        return this.#build(member, effect.view)
      case 'check':
        return this.#check(effect)
      case 'sign-vote':
      case 'sign-proposal':
        return this.#sign(member, effect)
      case 'send':
        if (effect.to === 'validators') this.#broadcast(member.name, effect.message)
        else this.#pool.post({ from: member.name, to: effect.to, message: effect.message })
        return undefined
      case 'ask':
        this.#ask(member.name, effect)
        return undefined
      case 'set-timer':
        member.timers.set(effect.timer, effect.view)
        return undefined
      case 'decide':
        this.#decide(member, effect.blockHash, effect.block)
        return undefined
      case 'evidence': {
        const { evidence } = effect
        const by =
          evidence.type === 'votes'
            ? evidence.first.validator
            : this.#actors.leader(evidence.first.view)
        if (by === this.#byzantine) this.#isAccused = true
        else this.#audit.problem(`honest validator ${by} accused`)
        return undefined
      }
      case 'misbehaved':
        if (effect.from !== BYZANTINE)
          this.#audit.problem(`${effect.from} blamed: ${effect.reason}`)
        return undefined
    }
  }

  #build(member: Member, view: bigint): Input {
    const name = `${member.name}/${view}/${this.#random.int(1_000)}`
    this.#adversary.names.add(name)
    return { type: 'built', view, ...blockNamed(name) }
  }

  /** The app knows a block by its first view only, as the time rule does: one that is carried would not pass. */
  #check({ view, blockHash, block }: Extract<Effect, { type: 'check' }>): Input {
    const [, origin] = Buffer.from(block).toString().split('/')
    const valid = origin === String(view)
    return { type: 'checked', view, blockHash, valid }
  }

  #sign(member: Member, effect: SignEffect): Input | undefined {
    const signed = member.sign(effect)
    if (signed === undefined) this.#audit.problem(`the signer of ${member.name} refused`)
    if (signed?.type === 'proposal-signed') this.#audit.proposal(member.name, signed.proposal)
    if (signed?.type === 'vote-signed') {
      this.#audit.vote(member.name, signed.vote)
      this.#adversary.hearVote(signed.vote)
    }
    return signed
  }

  #decide(member: Member, blockHash: Uint8Array, block: Uint8Array): void {
    member.decided = toHex(blockHash)
    this.#audit.once('decision', toHex(blockHash))
    if (!equal(this.#verifier.block(block)!, blockHash)) this.#audit.problem('another body decided')
  }

  /** A member that decided keeps its memory: its block is committed. */
  #restart(member: Member): void {
    member.isUp = true
    if (member.decided !== undefined) return
    member.reboot()
    this.#take(member, { type: 'start' })
  }

  #crashOrRestart(): void {
    const member = this.#members[this.#random.int(this.#members.length)]!
    if (member.self === undefined) return
    if (this.#random.int(4) === 0) this.#crashAllBut(member)
    else if (member.isUp) member.crash()
    else this.#restart(member)
  }

  #crashAllBut(spared: Member): void {
    for (const member of this.#members) {
      if (member !== spared && member.self !== undefined) member.crash()
    }
  }

  #broadcast(from: string, message: Message): void {
    for (const { name, self } of this.#members) {
      if (self !== undefined && name !== from) this.#pool.post({ from, to: name, message })
    }
  }

  #ask(from: string, { need, have }: Extract<Effect, { type: 'ask' }>): void {
    const others = this.#members.filter(({ name }) => name !== from)
    for (let i = 0; i < 2; i++) {
      const to = others[this.#random.int(others.length)]!.name
      this.#pool.post({ from, to, message: { type: 'need', need } })
      this.#pool.post({ from, to, message: { type: 'have', have } })
    }
  }

  #deliverAny(): void {
    const flight = this.#pool.any()
    if (flight !== undefined) this.#deliver(flight)
  }

  #deliver({ from, to, message }: Flight): void {
    const member = this.#members.find(({ name }) => name === to)
    if (member?.isUp) this.#take(member, { type: 'message', from, message })
  }

  #misbehave(): void {
    const { core } = this.#members[this.#random.int(this.#members.length)]!
    const message = this.#adversary.message(core.view)
    if (message === undefined) return
    const to = this.#members[this.#random.int(this.#members.length)]!.name
    if (this.#random.int(3) === 0) this.#broadcast(BYZANTINE, message)
    else this.#pool.post({ from: BYZANTINE, to, message })
  }

  #drain(): void {
    for (let flight = this.#pool.next(); flight !== undefined; flight = this.#pool.next()) {
      this.#deliver(flight)
    }
  }

  #fireAny(): void {
    const member = this.#members[this.#random.int(this.#members.length)]!
    const timers = [...member.timers.keys()]
    if (timers.length > 0) this.#fire(member, timers[this.#random.int(timers.length)]!)
  }

  #fire(member: Member, timer: TimerKind): void {
    const view = member.timers.get(timer)
    if (view === undefined || !member.isUp) return
    member.timers.delete(timer)
    this.#take(member, { type: 'timeout', timer, view })
  }
}
