/** A ControlApi over a Map, with the places where tests make it fail or wait. */
import { HoldfastError } from '../../../src/base/errors.ts'
import type {
  ControlApi,
  GetHandle,
  GetRequest,
  PutRequest,
  PutResult
} from '../../../src/node/control/types.ts'

export interface MemoryApi {
  api: ControlApi
  objects: Map<string, Buffer>
  /** Largest number of bytes a put has taken while `holdPuts` was set. */
  putBytesSeen: () => number
  /** While set, a put reads nothing more before the promise resolves. */
  holdPuts: Promise<void> | undefined
  /** Bytes after which the body of a get fails. */
  failGetAfterBytes: number | undefined
  /** Resolves when a put ends in any way, with its error if it failed. */
  putEnded: Promise<unknown>
  calls: unknown[][]
}

const FAILED_PROVIDER = { provider: '12D3KooWliar', reason: 'wrong bytes: naïve ☃' }
const CHUNK_BYTES = 10_000

export function createMemoryApi(): MemoryApi {
  const objects = new Map<string, Buffer>()
  let seen = 0
  const ended = Promise.withResolvers<unknown>()
  const memory: MemoryApi = {
    api: undefined as unknown as ControlApi,
    objects,
    putBytesSeen: () => seen,
    holdPuts: undefined,
    failGetAfterBytes: undefined,
    putEnded: ended.promise,
    calls: []
  }

  async function put(request: PutRequest): Promise<PutResult> {
    const { path, force, source, signal, onProgress, profile = '4/8' } = request
    if (objects.has(path) && force !== true) {
      throw new HoldfastError('ALREADY_EXISTS', `${path} exists`, { hint: 'use --force' })
    }
    const chunks: Uint8Array[] = []
    for await (const chunk of source) {
      chunks.push(chunk)
      seen += chunk.length
      onProgress?.({ durableBytes: seen, readBytes: seen })
      await memory.holdPuts
    }
    signal?.throwIfAborted()
    const bytes = Buffer.concat(chunks)
    objects.set(path, bytes)
    return { path, bytes: bytes.length, manifest: 'bafy', profile, segments: 1, pieces: [] }
  }

  async function get({ path, range, signal }: GetRequest): Promise<GetHandle> {
    const object = objects.get(path)
    if (object === undefined) throw new HoldfastError('NOT_FOUND', `nothing at ${path}`)
    const { first, last } = range ?? { first: 0, last: object.length - 1 }
    const wanted = object.subarray(first, last + 1)
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < wanted.length; at += CHUNK_BYTES) {
        signal?.throwIfAborted()
        if (memory.failGetAfterBytes !== undefined && at >= memory.failGetAfterBytes) {
          throw new HoldfastError('UNRECOVERABLE', 'only 3 of 4 pieces', { hint: 'wait' })
        }
        yield wanted.subarray(at, at + CHUNK_BYTES)
      }
    }
    return { path, bytes: wanted.length, body: body(), failed: () => [FAILED_PROVIDER] }
  }

  const record =
    (name: string, result: unknown) =>
    async (...args: unknown[]): Promise<never> => {
      memory.calls.push([name, ...args])
      return result as never
    }
  memory.api = {
    put: request => {
      const result = put(request)
      result.then(() => ended.resolve(undefined), ended.resolve)
      return result
    },
    get,
    status: record('status', { peerId: '12D3KooWself', pid: process.pid, roles: [], listen: [] }),
    requestStop: record('requestStop', undefined),
    list: async (prefix, recursive) => {
      memory.calls.push(['list', prefix, recursive])
      return [...objects].map(([path, { length }]) => ({ path, bytes: length }))
    },
    remove: record('remove', { path: '/x', bytes: 1 }),
    stat: record('stat', {}),
    deals: record('deals', []),
    quote: record('quote', { costUnits: 7n }),
    ask: record('ask', { priceUnitsPerGiBPeriod: 5n }),
    providerStatus: record('providerStatus', {}),
    walletAddress: record('walletAddress', { address: 'hf1x' }),
    walletBalance: record('walletBalance', {
      address: 'hf1x',
      available: 10n ** 18n,
      escrow: 0n,
      collateral: 1n
    }),
    validatorStatus: record('validatorStatus', {
      address: 'hf1x',
      publicKey: '00',
      bondUnits: 7n,
      unbonding: [],
      power: 1,
      state: 'active',
      jailedUntil: null
    }),
    validatorAct: record('validatorAct', { tx: 'aa', height: 1 }),
    governance: record('governance', { params: [], proposals: [], scheduled: [] }),
    propose: record('propose', { tx: 'aa', height: 1 }),
    vote: record('vote', { tx: 'aa', height: 1 }),
    walletSend: record('walletSend', { tx: 'aa', height: 1, to: 'hf1y', units: 5n }),
    walletPhrase: record('walletPhrase', { phrase: 'abandon' }),
    ledgerStatus: record('ledgerStatus', { height: 3 }),
    ledgerBlock: record('ledgerBlock', { height: 3, txs: [] }),
    ledgerValidators: record('ledgerValidators', []),
    ledgerTx: record('ledgerTx', { feeUnits: 3n }),
    ledgerAccount: record('ledgerAccount', { available: 5n }),
    ledgerProve: record('ledgerProve', { file: '' }),
    audit: record('audit', { ok: true, providers: [] }),
    repairMap: record('repairMap', { segments: [] }),
    repairMaps: record('repairMaps', []),
    publishRepairMap: record('publishRepairMap', { providers: [], failed: [] }),
    exportEvidence: record('exportEvidence', { bundle: '' }),
    peers: async () => {
      throw new TypeError('a bug in the daemon')
    }
  }
  return memory
}
