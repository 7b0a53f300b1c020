/**
 * The light client: follows headers from a source that it does not trust, by bisection, and asks witnesses before it
 * believes the result. Pure but for what the sources do; time is an argument.
 */
import { assert } from '../../base/assert.ts'
import { equal, toHex } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { blockHashOf } from '../block.ts'
import { encodeFork, type Fork, forkOf } from './fork.ts'
import type { Trusted } from './trust.ts'
import type { LightBlock } from './types.ts'
import {
  CLOCK_DRIFT_MS_DEFAULT,
  type TimeRules,
  TRUSTING_PERIOD_MS_DEFAULT,
  verifyStep
} from './verify.ts'

/** Somebody who has light blocks. */
export interface LightSource {
  /** For reports: who gave what. */
  readonly id: string
  /** Of this height, or of the newest that it has. @throws when it has none */
  lightBlock(height: bigint | 'newest', signal: AbortSignal): Promise<LightBlock>
}

export interface LightClientInit {
  /** From trustGenesis, trustGenesisHash, trustCheckpoint, or kept from an earlier run. */
  trusted: Trusted
  /** @default TRUSTING_PERIOD_MS_DEFAULT */
  trustingPeriodMs?: bigint
  /** @default CLOCK_DRIFT_MS_DEFAULT */
  clockDriftMs?: bigint
  /** Witnesses that have to confirm a header. @default 2 */
  witnessesMin?: number
}

export interface UpdateInit {
  primary: LightSource
  witnesses: readonly LightSource[]
  /** @default the newest of the primary */
  height?: bigint
  /** Wall clock. */
  nowMs: bigint
  signal: AbortSignal
}

export interface Update {
  trusted: Trusted
  /** All that was verified on the way, in order, the last one included: what a proof file carries. */
  path: LightBlock[]
  /** Witnesses that gave something that does not verify, or nothing. */
  faulty: { id: string; reason: string }[]
}

const WITNESSES_MIN_DEFAULT = 2
/** Bisection asks for log2(distance) blocks per change of set; more is a source that plays. */
const FETCHES_MAX = 1_024

export function createLightClient(init: LightClientInit): LightClient {
  return new LightClient(init)
}

export class LightClient {
  readonly #trustingPeriodMs: bigint
  readonly #clockDriftMs: bigint
  readonly #witnessesMin: number
  #trusted: Trusted

  /** Use createLightClient. */
  constructor(init: LightClientInit) {
    this.#trusted = init.trusted
    this.#trustingPeriodMs = init.trustingPeriodMs ?? TRUSTING_PERIOD_MS_DEFAULT
    this.#clockDriftMs = init.clockDriftMs ?? CLOCK_DRIFT_MS_DEFAULT
    this.#witnessesMin = init.witnessesMin ?? WITNESSES_MIN_DEFAULT
    assert(this.#witnessesMin >= 0, 'a number of witnesses')
  }

  /** The newest block that is trusted. */
  get trusted(): Trusted {
    return this.#trusted
  }

  /**
   * One block, without witnesses: trusted from then on, or 'too-far'.
   * @throws HoldfastError BLOCK_INVALID, TRUST_EXPIRED
   */
  verify(block: LightBlock, nowMs: bigint): Trusted | 'too-far' {
    const result = verifyStep(this.#trusted, block, this.#rules(nowMs))
    if (result !== 'too-far') this.#trusted = result
    return result
  }

  /**
   * Follows the primary to a height and has it confirmed.
   * @throws HoldfastError BLOCK_INVALID when the primary lies, TRUST_EXPIRED, TOO_FEW_WITNESSES, LEDGER_FORK with
   *   `details.evidence`, or what the primary throws
   */
  async update(init: UpdateInit): Promise<Update> {
    const { primary, nowMs, signal } = init
    const target = await fetchBlock(primary, init.height ?? 'newest', signal)
    const rules = this.#rules(nowMs)
    const { trusted, path } = await bisect(this.#trusted, target, {
      source: primary,
      rules,
      signal
    })
    const faulty = await this.#confirm(target, init)
    this.#trusted = trusted
    return { trusted, path, faulty }
  }

  async #confirm(block: LightBlock, init: UpdateInit): Promise<Update['faulty']> {
    const { nowMs, signal } = init
    const { height } = block.header
    const faulty: Update['faulty'] = []
    let confirmed = 0
    for (const witness of independent(init)) {
      try {
        const other = await fetchBlock(witness, height, signal)
        if (equal(blockHashOf(other.header), blockHashOf(block.header))) confirmed++
        else
          await this.#contradict(block, other, {
            source: witness,
            rules: this.#rules(nowMs),
            signal
          })
      } catch (error) {
        signal.throwIfAborted()
        if (HoldfastError.is(error, 'LEDGER_FORK')) throw error
        faulty.push({ id: witness.id, reason: messageOf(error) })
      }
    }
    if (confirmed >= this.#witnessesMin) return faulty
    throw new HoldfastError(
      'TOO_FEW_WITNESSES',
      `${confirmed} of ${this.#witnessesMin} witnesses confirm height ${height}`,
      { details: { faulty }, retryable: true }
    )
  }

  /** A witness has another block. Either it cannot show that it is final, or the ledger has forked. */
  async #contradict(block: LightBlock, other: LightBlock, by: BisectInit): Promise<never> {
    await bisect(this.#trusted, other, by)
    throw forkError(forkOf(block, other))
  }

  #rules(nowMs: bigint): TimeRules {
    return {
      nowMs,
      trustingPeriodMs: this.#trustingPeriodMs,
      clockDriftMs: this.#clockDriftMs
    }
  }
}

/** Every source once, and not the one that is to be confirmed. */
function independent({ primary, witnesses }: UpdateInit): LightSource[] {
  const byId = new Map(witnesses.map(witness => [witness.id, witness]))
  byId.delete(primary.id)
  return [...byId.values()]
}

interface BisectInit {
  source: LightSource
  rules: TimeRules
  signal: AbortSignal
}

/** Verifies a target, and as many blocks between as it takes. @throws HoldfastError BLOCK_INVALID, TRUST_EXPIRED */
async function bisect(
  from: Trusted,
  target: LightBlock,
  { source, rules, signal }: BisectInit
): Promise<{ trusted: Trusted; path: LightBlock[] }> {
  let trusted = from
  const path: LightBlock[] = []
  const ahead = [target]
  if (target.header.height === from.height && equal(blockHashOf(target.header), from.blockHash)) {
    return { trusted, path }
  }
  for (let fetches = 0; ahead.length > 0; ) {
    const block = ahead.at(-1)!
    const result = verifyStep(trusted, block, rules)
    if (result !== 'too-far') {
      trusted = result
      path.push(block)
      ahead.pop()
      continue
    }
    if (++fetches > FETCHES_MAX) {
      throw new HoldfastError('BLOCK_INVALID', `no path to height ${target.header.height}`)
    }
    ahead.push(await fetchBlock(source, (trusted.height + block.header.height) / 2n, signal))
  }
  return { trusted, path }
}

async function fetchBlock(
  source: LightSource,
  height: bigint | 'newest',
  signal: AbortSignal
): Promise<LightBlock> {
  signal.throwIfAborted()
  const block = await source.lightBlock(height, signal)
  if (height !== 'newest' && block.header.height !== height) {
    throw new HoldfastError(
      'BLOCK_INVALID',
      `asked for height ${height}, got ${block.header.height} from ${source.id}`
    )
  }
  return block
}

function forkError(fork: Fork): HoldfastError {
  const { height } = fork.first.header
  return new HoldfastError('LEDGER_FORK', `two blocks of height ${height} are final`, {
    details: { height: Number(height), evidence: toHex(encodeFork(fork)) },
    hint: 'at least a third of the voting power is dishonest: stop, and publish the evidence'
  })
}
