/** The control API as a caller in another process sees it. Light on purpose: every CLI command imports it. */
import type { Units } from '../../base/money.ts'
import { sendGet, sendPut } from './client-transfer.ts'
import { openCall, readAll } from './http.ts'
import type { ControlApi } from './types.ts'
import { decodeJson, encodeJson } from './wire.ts'

export interface ControlClientInit {
  home: string
  /** Cancels every call. */
  signal?: AbortSignal
}

/**
 * Talks to the daemon that runs for a home; port and token are read from the home at every call. Every method may throw
 * HoldfastError NOT_RUNNING, UNAUTHORIZED or ABORTED besides the daemon's own errors.
 */
export function createControlClient({ home, signal }: ControlClientInit): ControlApi {
  const call = async <T>(method: string, params: object = {}): Promise<T> => {
    const { outgoing, response } = await openCall({ home, method, verb: 'POST', signal })
    outgoing.setHeader('content-type', 'application/json')
    outgoing.end(encodeJson(params))
    const answer = decodeJson(await readAll(await response))
    return (answer as { result: T }).result
  }
  const withSignal = <T extends object>(request: T): T =>
    signal === undefined ? request : { signal, ...request }
  return {
    status: () => call('status'),
    requestStop: () => call('requestStop'),
    put: request => sendPut(home, withSignal(request)),
    get: request => sendGet(home, withSignal(request)),
    list: (prefix, recursive) => call('list', { prefix, recursive }),
    remove: path => call('remove', { path }),
    stat: path => call('stat', { path }),
    deals: () => call('deals'),
    quote: request => call('quote', request),
    ask: (update = {}) => call('ask', update),
    providerStatus: () => call('providerStatus'),
    walletAddress: () => call('walletAddress'),
    walletBalance: () => call('walletBalance'),
    walletSend: (to: string, units: Units) => call('walletSend', { to, units }),
    walletPhrase: () => call('walletPhrase'),
    ledgerStatus: () => call('ledgerStatus'),
    ledgerBlock: height => call('ledgerBlock', { height }),
    ledgerValidators: () => call('ledgerValidators'),
    ledgerTx: hash => call('ledgerTx', { hash }),
    ledgerAccount: address => call('ledgerAccount', { address }),
    ledgerProve: (kind, key, fromHeight) =>
      call('ledgerProve', { kind, key, ...(fromHeight === undefined ? {} : { fromHeight }) }),
    validatorStatus: () => call('validatorStatus'),
    validatorAct: (action, units) =>
      call('validatorAct', { action, ...(units === undefined ? {} : { units }) }),
    governance: () => call('governance'),
    propose: (changes, heights) =>
      call('propose', { changes, ...(heights === undefined ? {} : { heights }) }),
    vote: (proposer, id) => call('vote', { proposer, id }),
    peers: () => call('peers'),
    audit: subject => call('audit', { subject }),
    repairMap: cid => call('repairMap', { cid }),
    repairMaps: deal => call('repairMaps', { deal }),
    publishRepairMap: path => call('publishRepairMap', { path }),
    exportEvidence: subject => call('exportEvidence', { subject })
  }
}
