/**
 * One daemon: a replica of the ledger, a place in the network, and the roles its owner chose. Components are built in
 * the order in which they depend on each other, started in that order and stopped in reverse.
 */
import { toHex } from '../base/bytes.ts'
import { HoldfastError, messageOf } from '../base/errors.ts'
import type { Logger, Startable } from '../base/ports.ts'
import { evidenceOf, parseGenesis, type Replica } from '../ledger/index.ts'
import { createApi } from './api.ts'
import type { ChainContext } from './chain/context.ts'
import { isCurrent } from './chain/current.ts'
import { Follower, serveFollowers } from './chain/follow.ts'
import { serveLight } from './chain/light-serve.ts'
import { openLedger, stateSyncOf } from './chain/open-ledger.ts'
import { serveSnapshots } from './chain/snapshot-serve.ts'
import type { StateSync } from './chain/state-sync.ts'
import { TxSender } from './chain/tx-sender.ts'
import { isValidator } from './chain/validators.ts'
import { waitUntil } from './chain/wait-for-block.ts'
import { ClientRole } from './client/client-role.ts'
import type { NodeInit } from './config.ts'
import type { ControlApi } from './control/types.ts'
import { createNet } from './net/p2p.ts'
import { ProviderRole } from './provider/provider-role.ts'
import { systemClock, systemRandom } from './system.ts'
import { ValidatorRole } from './validator/validator-role.ts'

/** How long `whenUsable` waits for the network before it says what is missing. */
const USABLE_TIMEOUT_MS = 120_000

export interface HoldfastNode extends Startable {
  /** Everything the daemon offers, in process. */
  readonly api: ControlApi
  /**
   * Resolves when the node does what its roles promise: its replica follows the ledger, a provider is registered.
   * @throws HoldfastError TIMEOUT saying what is missing
   */
  whenUsable(): Promise<void>
  /** Called when the owner asks for a stop over the control API. */
  onStopRequested(listener: () => void): void
}

/**
 * Opens a node's home; nothing is dialled or announced before `start`.
 * @throws HoldfastError HOME_IN_USE | CONFIG_INVALID | WRONG_NETWORK
 */
export async function createNode(init: NodeInit): Promise<HoldfastNode> {
  const { config, paths, keys, log } = init
  const genesis = parseGenesis(init.genesis)
  const logger = log.child({ part: 'ledger' })
  const ledger = await openLedger({ folder: paths.ledger, genesis, config, logger })
  const { replica } = ledger
  const stopping = new AbortController()
  const net = await createNet({
    key: keys.node,
    listen: config.listen,
    announce: config.announce,
    bootstrap: config.bootstrap,
    networkId: toHex(replica.network.genesisHash),
    datastorePath: paths.peers,
    roles: config.roles,
    userAgent: `holdfast/${init.version}`,
    logger: log.child({ part: 'net' })
  })
  const base = { net, replica, network: replica.network, signal: stopping.signal }
  const validator = config.roles.includes('validator')
    ? await ValidatorRole.open({
        net,
        replica,
        keys,
        folder: paths.validator,
        leaderTimeoutMs: config.leaderTimeoutMs,
        logger: log.child({ part: 'validator' })
      })
    : undefined
  const sender = new TxSender({
    ...base,
    wallet: keys.wallet,
    ...(validator && { mempool: validator.mempool }),
    logger: log
  })
  if (validator !== undefined) reportEvidence(validator, replica, sender, log)
  const chain: ChainContext = { ...base, sender, wallet: keys.wallet, nodeKey: keys.node }
  const roles = await openRoles(init, chain)
  return new Node({
    init,
    chain,
    validator,
    ...roles,
    sync: stateSyncOf(ledger, net, { config, logger }),
    stopping,
    closeLedger: ledger.close
  })
}

/** Whoever sees a validator contradict itself takes it to the ledger; others may be first. */
function reportEvidence(
  role: ValidatorRole,
  replica: Replica,
  sender: TxSender,
  log: Logger
): void {
  role.onEvidence = found => {
    const { height } = found.first
    const index = found.type === 'votes' ? found.first.validator : replica.leader(found.first.view)
    const accused = replica.validatorsAt(height)?.[index]
    if (accused === undefined) return
    const payload = evidenceOf(accused.publicKey, found)
    log.warn('validator.evidence', { accused: toHex(accused.publicKey), height: Number(height) })
    sender.send({ kind: 'evidence', payload }).catch(error => {
      log.info('validator.evidence.refused', { reason: messageOf(error) })
    })
  }
}

interface Roles {
  provider: ProviderRole | undefined
  client: ClientRole | undefined
}

async function openRoles(init: NodeInit, chain: ChainContext): Promise<Roles> {
  const { config, paths, keys, log } = init
  const has = (role: 'provider' | 'client'): boolean => config.roles.includes(role)
  const provider = has('provider')
    ? await ProviderRole.open({ chain, config, paths, logger: log.child({ part: 'provider' }) })
    : undefined
  const client = has('client')
    ? await ClientRole.open({
        chain,
        config,
        paths,
        contentSecret: keys.contentSecret,
        random: systemRandom,
        clock: systemClock,
        logger: log.child({ part: 'client' })
      })
    : undefined
  return { provider, client }
}

interface NodeParts extends Roles {
  init: NodeInit
  chain: ChainContext
  validator: ValidatorRole | undefined
  sync: StateSync | undefined
  stopping: AbortController
  closeLedger: () => Promise<void>
}

class Node implements HoldfastNode {
  readonly api: ControlApi
  readonly #parts: NodeParts
  readonly #log: Logger
  readonly #follower: Follower
  readonly #stopListeners: (() => void)[] = []
  #started: Startable[] = []
  /** Settles when every part was started, or one could not be. */
  #begun: Promise<void> = Promise.resolve()
  #usable: Promise<void> | undefined

  constructor(parts: NodeParts) {
    const { init, chain, validator } = parts
    this.#parts = parts
    this.#log = init.log
    const follow = { net: chain.net, replica: chain.replica, logger: init.log }
    serveFollowers(follow)
    const serving = { ...follow, clock: systemClock, signal: chain.signal }
    serveLight(serving)
    serveSnapshots(serving)
    // A validator makes blocks with other validators and hears of theirs only from them.
    this.#follower = new Follower(follow, validator ? isValidator : undefined)
    this.api = createApi({
      ...parts,
      requestStop: () => {
        for (const listener of this.#stopListeners) listener()
      }
    })
  }

  onStopRequested(listener: () => void): void {
    this.#stopListeners.push(listener)
  }

  /** Resolves once all parts run; before, when the replica begins with a snapshot: then the parts follow it. */
  async start(): Promise<void> {
    const { chain, sync } = this.#parts
    try {
      await this.#startParts(chain.net)
      this.#begun = sync === undefined ? this.#startRoles() : this.#syncThenStart(sync)
      this.#usable = this.#begun.then(() => this.#becomeUsable())
      this.#usable.catch(() => {})
      if (sync === undefined) await this.#begun
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Until the replica stands on its snapshot, nobody may give it a block. */
  async #syncThenStart(sync: StateSync): Promise<void> {
    await sync.run(this.#parts.chain.signal)
    await this.#startRoles()
  }

  async #startRoles(): Promise<void> {
    const { validator, provider, client } = this.#parts
    await this.#startParts(this.#follower, validator, provider, client)
  }

  async #startParts(...parts: (Startable | undefined)[]): Promise<void> {
    for (const part of parts) {
      if (part === undefined) continue
      this.#parts.chain.signal.throwIfAborted()
      await part.start()
      this.#started.push(part)
    }
  }

  async stop(): Promise<void> {
    this.#parts.stopping.abort(new HoldfastError('ABORTED', 'the node is stopping'))
    await this.#begun.catch(() => {})
    const { provider, client } = this.#parts
    for (const part of this.#started.toReversed()) await this.#stopPart(part)
    // Roles that were opened but never started hold databases too.
    for (const role of [provider, client]) {
      if (role !== undefined && !this.#started.includes(role)) await this.#stopPart(role)
    }
    this.#started = []
    await this.#parts.closeLedger()
  }

  whenUsable(): Promise<void> {
    return (
      this.#usable ?? Promise.reject(new HoldfastError('NOT_RUNNING', 'the node is not started'))
    )
  }

  /** A part that fails to stop must not keep the others from stopping. */
  async #stopPart(part: Startable): Promise<void> {
    try {
      await part.stop()
    } catch (error) {
      this.#log.warn('stop.failed', { reason: messageOf(error) })
    }
  }

  /** @throws HoldfastError WRONG_NETWORK when every bootstrap address answers, and for another network */
  async #assertOwnNetwork(): Promise<void> {
    const { init, chain } = this.#parts
    const { signal } = chain
    const dials = init.config.bootstrap.map(address => chain.net.connect(address, { signal }))
    const results = await Promise.allSettled(dials)
    const foreign = results.filter(
      result => result.status === 'rejected' && HoldfastError.is(result.reason, 'WRONG_NETWORK')
    ) as PromiseRejectedResult[]
    if (foreign.length > 0 && foreign.length === results.length) throw foreign[0]!.reason
  }

  async #becomeUsable(): Promise<void> {
    const { chain, provider } = this.#parts
    const { replica, signal } = chain
    const following = waitUntil(
      replica,
      () => replica.head().height > 0n && isCurrent(replica, systemClock),
      USABLE_TIMEOUT_MS,
      signal
    )
    await Promise.race([following, this.#assertOwnNetwork()])
    const follows = await following
    signal.throwIfAborted()
    if (!follows) {
      throw new HoldfastError('TIMEOUT', 'the ledger could not be followed', {
        hint: 'check the bootstrap addresses, and that a validator of this network is running'
      })
    }
    await provider?.register()
  }
}
