/** The control API of a running node: each method finds the role that answers it. */
import { accountOfAddress, addressOf } from '../base/address.ts'
import { toHex } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { Units } from '../base/money.ts'
import type { DealView } from '../ledger/index.ts'
import { audit, describeMap, mapsOfDeal } from './auditor/audit.ts'
import { createAuditor } from './auditor/context.ts'
import { exportEvidence } from './auditor/evidence-export.ts'
import type { ChainContext } from './chain/context.ts'
import type { StateSync } from './chain/state-sync.ts'
import type { ClientRole } from './client/client-role.ts'
import type { ClientContext } from './client/context.ts'
import { get } from './client/get.ts'
import { list, stat } from './client/listing.ts'
import { publish } from './client/publish-map.ts'
import { put } from './client/put.ts'
import { quote } from './client/quote.ts'
import { remove } from './client/remove.ts'
import type { NodeInit } from './config.ts'
import type {
  AskRow,
  AskUpdate,
  Balance,
  ControlApi,
  DealRow,
  NodeStatus,
  PeerRow,
  ProviderStatus,
  SendResult
} from './control/types.ts'
import { proveRecord } from './ledger-proof.ts'
import {
  ledgerAccount,
  ledgerBlock,
  ledgerStatus,
  ledgerTx,
  ledgerValidators
} from './ledger-views.ts'
import { peerIdOf } from './net/peer-id.ts'
import type { ProviderRole } from './provider/provider-role.ts'
import { systemClock, systemRandom } from './system.ts'
import {
  actAsValidator,
  governance,
  propose,
  validatorStatus,
  voteFor
} from './validator-actions.ts'

export interface ApiParts {
  init: NodeInit
  chain: ChainContext
  provider: ProviderRole | undefined
  client: ClientRole | undefined
  /** Of a replica that had no block at the start. */
  sync: StateSync | undefined
  requestStop: () => void
}

export function createApi(parts: ApiParts): ControlApi {
  const { init, chain } = parts
  const { replica } = chain
  const startedAtMs = systemClock.nowMs()
  const auditor = createAuditor({
    ...chain,
    clock: systemClock,
    random: systemRandom,
    logger: init.log
  })
  const client = (): ClientContext => {
    if (parts.client === undefined) throw roleDisabled('client')
    return parts.client.context
  }
  const provider = (): ProviderRole => {
    if (parts.provider === undefined) throw roleDisabled('provider')
    return parts.provider
  }
  return {
    status: async () => nodeStatus(parts, startedAtMs),
    requestStop: async () => parts.requestStop(),
    put: request => call(() => put(client(), request)),
    get: request => call(() => get(client(), request)),
    list: (prefix, recursive) => call(() => list(client(), prefix, recursive)),
    remove: path => call(() => remove(client(), path)),
    stat: path => call(() => stat(client(), path)),
    deals: async () => dealRows(chain),
    quote: request => call(() => quote(client(), request)),
    ask: update => call(() => ask(chain, provider(), update)),
    providerStatus: () => call(async () => providerStatus(chain, provider())),
    walletAddress: async () => ({ address: addressOf(chain.wallet.publicKey) }),
    walletBalance: async () => balance(chain),
    walletSend: (to, units) => send(chain, to, units),
    walletPhrase: async () => ({ phrase: init.phrase }),
    ledgerStatus: async () => ledgerStatus(replica),
    ledgerBlock: async height => ledgerBlock(replica, height),
    ledgerValidators: async () => ledgerValidators(replica),
    ledgerTx: async hash => ledgerTx(replica, hash),
    ledgerAccount: async address => ledgerAccount(replica, address),
    ledgerProve: (kind, key, fromHeight) =>
      proveRecord(chain, { kind, key, ...(fromHeight !== undefined && { fromHeight }) }),
    validatorStatus: async () => validatorStatus(chain),
    validatorAct: (action, units) =>
      call(async () => {
        const runsIt = init.config.roles.includes('validator')
        // one that is in the set and does not run is jailed
        if (action === 'register' && !runsIt) throw roleDisabled('validator')
        return await actAsValidator({ chain, keys: init.keys }, action, units)
      }),
    governance: async () => governance(chain),
    propose: (changes, heights) => propose(chain, changes, heights),
    vote: (proposer, id) => voteFor(chain, proposer, id),
    peers: async () => peerRows(chain, parts.client?.context),
    audit: subject => call(() => audit(auditor, subject)),
    repairMap: cid => call(() => describeMap(auditor, cid)),
    repairMaps: deal => call(() => mapsOfDeal(auditor, deal)),
    publishRepairMap: path => call(() => publish(client(), path)),
    exportEvidence: subject => call(() => exportEvidence(auditor, subject))
  }
}

/** A role that is missing rejects like every other failure instead of throwing at the call. */
async function call<T>(work: () => Promise<T>): Promise<T> {
  return await work()
}

function roleDisabled(role: string): HoldfastError {
  return new HoldfastError('ROLE_DISABLED', `this node does not run the ${role} role`, {
    hint: `start it with \`holdfast start --role ${role}\`, or set roles in config.json`
  })
}

function nodeStatus({ init, chain, sync }: ApiParts, startedAtMs: number): NodeStatus {
  const { net, replica, network, wallet } = chain
  return {
    version: init.version,
    peerId: net.peerId,
    address: addressOf(wallet.publicKey),
    roles: [...init.config.roles],
    listen: net.addresses(),
    chainId: network.chainId,
    height: Number(replica.head().height),
    peers: net.connected().length,
    uptimeMs: systemClock.nowMs() - startedAtMs,
    pid: process.pid,
    ...(sync?.progress && { stateSync: sync.progress })
  }
}

/** Every deal of this wallet that is not closed, as client or provider. */
function dealRows({ replica, wallet }: ChainContext): DealRow[] {
  const key = wallet.publicKey
  const own = new Map<string, DealView>()
  for (const deal of [...replica.dealsOfClient(key), ...replica.dealsOfProvider(key)]) {
    own.set(toHex(deal.id), deal)
  }
  return [...own.values()].map(deal => {
    const record = replica.provider(deal.provider)
    return {
      id: toHex(deal.id),
      client: addressOf(deal.client),
      provider: record === undefined ? addressOf(deal.provider) : peerIdOf(record.peerKey),
      bytes: Number(deal.bytes),
      provenPeriods: Number(deal.provenPeriods),
      missedPeriods: Number(deal.missedPeriods),
      paidUnits: deal.paidUnits,
      owedUnits: deal.owedUnits,
      escrowUnits: deal.escrowUnits,
      collateralUnits: deal.collateralUnits,
      endPeriod: Number(deal.endPeriod),
      state: deal.state
    }
  })
}

async function ask(
  { net }: ChainContext,
  { offers }: ProviderRole,
  update?: AskUpdate
): Promise<AskRow> {
  if (update !== undefined) await offers.change(update)
  const current = offers.current()
  return {
    provider: net.peerId,
    priceUnitsPerGiBPeriod: current.priceUnitsPerGiBPeriod,
    egressUnitsPerGiB: current.egressUnitsPerGiB,
    collateralUnits: current.collateralUnits,
    dealPeriodsMin: current.dealPeriodsMin,
    dealPeriodsMax: current.dealPeriodsMax,
    pieceBytesMin: current.pieceBytesMin,
    pieceBytesMax: current.pieceBytesMax,
    freeBytes: Number(current.freeBytes),
    region: current.region,
    operator: current.operator,
    validUntilHeight: Number(current.validUntilHeight),
    auto: offers.auto ?? null
  }
}

function providerStatus(
  { net, replica, wallet }: ChainContext,
  { store }: ProviderRole
): ProviderStatus {
  const record = replica.provider(wallet.publicKey)
  const open = replica.dealsOfProvider(wallet.publicKey).filter(deal => deal.state !== 'closed')
  return {
    provider: net.peerId,
    ...store.usage(),
    deals: open.length,
    provenPeriods: Number(record?.provenPeriods ?? 0n),
    lastProvenPeriod:
      record?.lastProvenPeriod === undefined ? null : Number(record.lastProvenPeriod),
    currentPeriod: Number(replica.period())
  }
}

function balance({ replica, wallet }: ChainContext): Balance {
  const account = replica.account(wallet.publicKey)
  return {
    address: addressOf(wallet.publicKey),
    available: account.availableUnits,
    escrow: account.escrowUnits,
    collateral: account.collateralUnits
  }
}

/** @throws HoldfastError INVALID_ARGUMENT | INSUFFICIENT_FUNDS | … */
async function send(chain: ChainContext, to: string, units: Units): Promise<SendResult> {
  const { replica, wallet, sender } = chain
  const payload = { to: accountOfAddress(to), amountUnits: units }
  const available = replica.account(wallet.publicKey).availableUnits
  if (available < units) {
    throw new HoldfastError(
      'INSUFFICIENT_FUNDS',
      `cannot send ${units} units: ${available} are available`
    )
  }
  const { hash, height } = await sender.send({ kind: 'transfer', payload })
  return { tx: toHex(hash), height: Number(height), to, units }
}

function peerRows({ net }: ChainContext, client: ClientContext | undefined): PeerRow[] {
  return net.connected().map(({ peerId, addresses, roles }) => ({
    peerId,
    addresses,
    roles,
    score: client?.quality.score(peerId) ?? 0,
    failures: (client?.quality.failures(peerId) ?? []).map(({ atMs, reason }) => ({
      at: new Date(atMs).toISOString(),
      reason
    })),
    ...reputationRow(peerId, client)
  }))
}

function reputationRow(
  peerId: string,
  client: ClientContext | undefined
): Pick<PeerRow, 'reputation'> {
  const facts = client?.quality.facts(peerId)
  if (client === undefined || facts === undefined) return {}
  const own = client.quality.measurements(peerId)
  const rounded = Object.entries(own).map(([name, value]) => [name, Math.round(value * 10) / 10])
  return { reputation: { ...facts, ...(Object.fromEntries(rounded) as typeof own) } }
}
