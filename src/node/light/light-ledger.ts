/**
 * The ledger without a replica: a node for the length of a question, which asks the bootstrap peers of a home, believes
 * what certificates and proofs show, and has witnesses confirm the header. Of the home it reads genesis and settings,
 * and keeps what it trusts in `light.json`; a daemon may run meanwhile.
 *
 * The newest header carries the state after the block below it, so answers are those of a replica at that height.
 */
import { accountOfAddress, addressOf } from '../../base/address.ts'
import { toHex } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { signingKeyFromSeed } from '../../base/keys.ts'
import { type Clock, type Logger, silentLogger } from '../../base/ports.ts'
import {
  type AccountRecord,
  type Checkpoint,
  createLightClient,
  faultsTolerated,
  type Genesis,
  genesisHashOf,
  type LightBlock,
  type Params,
  parseGenesis,
  periodAt,
  type Trusted,
  trustGenesis,
  verifyRecord
} from '../../ledger/index.ts'
import type { RecordQuery } from '../chain/light-messages.ts'
import { findLightPeers, trustFromPeers } from '../chain/light-peers.ts'
import { type LightPeer, lightPeer, type ProvenRecords } from '../chain/light-source.ts'
import { type FaultyPeer, updateByPeers } from '../chain/light-update.ts'
import { WITNESSES_MIN } from '../chain/state-sync.ts'
import { resolveConfig } from '../config.ts'
import type { LedgerAccount, LedgerStatus, ValidatorRow } from '../control/ledger-types.ts'
import { type HomePaths, homePaths, readJsonFile } from '../home-files.ts'
import { createNet } from '../net/p2p.ts'
import type { Net } from '../net/types.ts'
import { systemClock, systemRandom } from '../system.ts'
import { readTrusted, writeTrusted } from './trusted-file.ts'

const PEERS_MS_DEFAULT = 8_000
const SEED_BYTES = 32
const ONLY = new Uint8Array(0)

export interface LightLedgerInit {
  /** Home with genesis and settings; it needs no daemon. */
  home: string
  /** Multiaddrs to ask besides those of the settings. */
  bootstrap?: readonly string[]
  /** What to trust instead of what the home trusts. */
  checkpoint?: Checkpoint
  /** Peers that have to confirm a header, besides the one that gives it. @default 2 */
  witnesses?: number
  /** How long peers are looked for. @default 8 seconds */
  peersMs?: number
  /** @default nothing is logged */
  log?: Logger
  signal: AbortSignal
}

/** Why to believe an answer. */
export interface LightFacts {
  /** Of the header that the records are proven under: one above the answer. */
  headerHeight: number
  headerHash: string
  /** ISO 8601, as its proposer says. */
  headerTime: string
  witnesses: number
  /** Peers that lied or failed. */
  faulty: FaultyPeer[]
}

export type Light<T> = T & { light: LightFacts }

/**
 * Every method may throw TOO_FEW_WITNESSES, TRUST_EXPIRED, LEDGER_FORK, UNREACHABLE and ABORTED.
 * @throws HoldfastError HOME_MISSING | CONFIG_INVALID | UNREACHABLE when there is nobody to ask
 */
export async function openLightLedger(init: LightLedgerInit): Promise<LightLedger> {
  const paths = homePaths(init.home)
  const raw = await readJsonFile(paths.genesis)
  if (raw === undefined) {
    throw new HoldfastError('HOME_MISSING', `there is no node in ${paths.root}`, {
      hint: 'create one with `holdfast init`, or choose its folder with --home'
    })
  }
  const genesis = parseGenesis(raw)
  const config = resolveConfig({ file: await readJsonFile(paths.config) })
  const bootstrap = [...(init.bootstrap ?? []), ...config.bootstrap]
  if (bootstrap.length === 0) {
    throw new HoldfastError('UNREACHABLE', 'nobody to ask: the settings name no bootstrap peers', {
      hint: 'give the address of a node with --bootstrap, or set bootstrap in config.json'
    })
  }
  const log = init.log ?? silentLogger
  const net = await createNet({
    key: signingKeyFromSeed(systemRandom.bytes(SEED_BYTES)),
    listen: [],
    bootstrap,
    networkId: toHex(genesisHashOf(genesis)),
    roles: [],
    userAgent: 'holdfast-light',
    logger: log
  })
  await net.start()
  return new LightLedger(init, { net, genesis, paths, clock: systemClock })
}

export interface LightLedgerParts {
  net: Net
  genesis: Genesis
  paths: Pick<HomePaths, 'light'>
  clock: Clock
}

interface Read {
  block: LightBlock
  /** In the order of the queries. */
  values: unknown[]
  facts: LightFacts
}

export class LightLedger {
  readonly #init: LightLedgerInit
  readonly #parts: LightLedgerParts

  /** Use openLightLedger. */
  constructor(init: LightLedgerInit, parts: LightLedgerParts) {
    this.#init = init
    this.#parts = parts
  }

  async status(): Promise<Light<LedgerStatus>> {
    const { block, values, facts } = await this.#read([{ table: 'params', key: ONLY }])
    const { header, validators } = block
    const params = (values[0] as Params | undefined) ?? this.#parts.genesis.params
    const height = header.height - 1n
    return {
      chainId: header.chainId,
      height: Number(height),
      blockHash: toHex(header.parentHash),
      appHash: toHex(header.appHash),
      validators: validators.length,
      faultsTolerated: faultsTolerated(validators.length),
      period: Number(periodAt(params, height)),
      light: facts
    }
  }

  async validators(): Promise<{ validators: ValidatorRow[]; light: LightFacts }> {
    const { block, facts } = await this.#read([{ table: 'params', key: ONLY }])
    const validators = block.validators.map(({ publicKey, account, power }) => {
      return { publicKey: toHex(publicKey), address: addressOf(account), power: Number(power) }
    })
    return { validators, light: facts }
  }

  /** @throws HoldfastError INVALID_ARGUMENT when it is no address */
  async account(address: string): Promise<Light<LedgerAccount>> {
    const key = accountOfAddress(address)
    const { block, values, facts } = await this.#read([{ table: 'accounts', key }])
    const account = values[0] as AccountRecord | undefined
    return {
      address,
      height: Number(block.header.height - 1n),
      nonce: Number(account?.nonce ?? 0n),
      available: account?.balanceUnits ?? 0n,
      escrow: account?.escrowUnits ?? 0n,
      collateral: account?.collateralUnits ?? 0n,
      light: facts
    }
  }

  async close(): Promise<void> {
    await this.#parts.net.stop()
  }

  async #read(queries: readonly RecordQuery[]): Promise<Read> {
    const { net, paths } = this.#parts
    const { signal, witnesses = WITNESSES_MIN } = this.#init
    const wanted = witnesses + 1
    const ids = await findLightPeers({
      net,
      wanted,
      timeoutMs: this.#init.peersMs ?? PEERS_MS_DEFAULT,
      signal
    })
    let peers = ids.map(id => lightPeer(net, id))
    const client = createLightClient({
      trusted: await this.#trusted(peers),
      witnessesMin: witnesses
    })
    const faulty: FaultyPeer[] = []
    for (;;) {
      if (peers.length < wanted) throw tooFew(peers.length, witnesses, faulty)
      const found = await this.#update(client, peers, queries)
      const { primary, served } = found
      faulty.push(...found.faulty)
      try {
        const block = client.trusted.block!
        const values = served.records.map(record => verifyRecord(block.header, record).value)
        await writeTrusted(paths.light, client.trusted)
        return { block, values, facts: factsOf(client.trusted, witnesses, faulty) }
      } catch (error) {
        if (!HoldfastError.is(error, 'PROOF_INVALID')) throw error
        faulty.push({ id: primary.id, reason: messageOf(error) })
        peers = peers.filter(peer => peer !== primary)
      }
    }
  }

  async #update(
    client: ReturnType<typeof createLightClient>,
    peers: readonly LightPeer[],
    queries: readonly RecordQuery[]
  ): Promise<{ primary: LightPeer; served: ProvenRecords; faulty: FaultyPeer[] }> {
    const { signal, witnesses = WITNESSES_MIN } = this.#init
    let served: ProvenRecords | undefined
    const heightOf = async (primary: LightPeer): Promise<bigint> => {
      served = await primary.records(queries, signal)
      return served.headerHeight
    }
    const nowMs = BigInt(this.#parts.clock.nowMs())
    try {
      const update = await updateByPeers({ client, peers, heightOf, nowMs, signal })
      return { ...update, served: served! }
    } catch (error) {
      if (!HoldfastError.is(error, 'TOO_FEW_WITNESSES')) throw error
      throw tooFew(undefined, witnesses, error.details['faulty'], error.message)
    }
  }

  async #trusted(peers: readonly LightPeer[]): Promise<Trusted> {
    const { genesis, paths } = this.#parts
    const { checkpoint, signal } = this.#init
    const start = trustGenesis(genesis)
    if (checkpoint !== undefined) {
      return await trustFromPeers(start.network, checkpoint, peers, signal)
    }
    return (await readTrusted(paths.light, start.network)) ?? start
  }
}

function tooFew(
  peers: number | undefined,
  witnesses: number,
  faulty: unknown,
  message = `${peers} peers were found; one and ${witnesses} witnesses are needed`
): HoldfastError {
  return new HoldfastError('TOO_FEW_WITNESSES', message, {
    details: { faulty },
    hint: 'name more nodes with --bootstrap, or be content with fewer: --witnesses 1',
    retryable: true
  })
}

function factsOf(
  { block, blockHash }: Trusted,
  witnesses: number,
  faulty: FaultyPeer[]
): LightFacts {
  const { height, timeMs } = block!.header
  return {
    headerHeight: Number(height),
    headerHash: toHex(blockHash),
    headerTime: new Date(Number(timeMs)).toISOString(),
    witnesses,
    faulty
  }
}
