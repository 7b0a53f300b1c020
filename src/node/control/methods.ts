/** The methods of the control API that answer with one JSON value, and the schema of what each takes. */
import { z } from 'zod'
import { HoldfastError } from '../../base/errors.ts'
import { PIECE_BYTES_MAX } from '../../base/limits.ts'
import { UNITS_MAX } from '../../base/money.ts'
import {
  normalisePath,
  normalisePrefix,
  parseAuditSubject,
  parseDealId,
  parseMapCid,
  parseProfile
} from './arguments.ts'
import type { ControlApi, QuoteRequest } from './types.ts'

type Method = (api: ControlApi, params: unknown) => Promise<unknown>

const nothing = z.strictObject({})
const count = z.int().nonnegative()
const periods = z
  .int()
  .min(1)
  .max(2 ** 32 - 1)
const decimal = z.string().regex(/^\d{1,19}$/)
const units = decimal.transform(BigInt).refine(value => value <= UNITS_MAX)
const hex64 = z.string().regex(/^[0-9a-f]{64}$/)
const onePath = z.strictObject({ path: z.string() })

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['status', method(nothing, api => api.status())],
  ['requestStop', method(nothing, api => api.requestStop())],
  [
    'list',
    method(z.strictObject({ prefix: z.string(), recursive: z.boolean() }), (api, p) =>
      api.list(normalisePrefix(p.prefix), p.recursive)
    )
  ],
  ['remove', method(onePath, (api, p) => api.remove(normalisePath(p.path)))],
  ['stat', method(onePath, (api, p) => api.stat(normalisePath(p.path)))],
  ['deals', method(nothing, api => api.deals())],
  [
    'quote',
    method(
      z.strictObject({ bytes: count, profile: z.string().optional(), periods: count.optional() }),
      (api, p) => api.quote(quoteRequest(p))
    )
  ],
  [
    'ask',
    method(
      z.strictObject({
        priceUnitsPerGiBPeriod: units.optional(),
        egressUnitsPerGiB: units.optional(),
        collateralUnits: units.optional(),
        dealPeriodsMin: periods.optional(),
        dealPeriodsMax: periods.optional(),
        pieceBytesMin: z.int().min(0).max(PIECE_BYTES_MAX).optional(),
        auto: z.strictObject({ floorUnits: units, ceilingUnits: units }).nullable().optional()
      }),
      (api, p) => (Object.keys(p).length === 0 ? api.ask() : api.ask(definedOnly(p)))
    )
  ],
  ['providerStatus', method(nothing, api => api.providerStatus())],
  ['walletAddress', method(nothing, api => api.walletAddress())],
  ['walletBalance', method(nothing, api => api.walletBalance())],
  [
    'walletSend',
    method(z.strictObject({ to: z.string(), units }), (api, p) => api.walletSend(p.to, p.units))
  ],
  ['walletPhrase', method(nothing, api => api.walletPhrase())],
  ['ledgerStatus', method(nothing, api => api.ledgerStatus())],
  ['ledgerBlock', method(z.strictObject({ height: count }), (api, p) => api.ledgerBlock(p.height))],
  ['ledgerValidators', method(nothing, api => api.ledgerValidators())],
  ['ledgerTx', method(z.strictObject({ hash: hex64 }), (api, p) => api.ledgerTx(p.hash))],
  [
    'ledgerAccount',
    method(z.strictObject({ address: z.string() }), (api, p) => api.ledgerAccount(p.address))
  ],
  [
    'ledgerProve',
    method(
      z.strictObject({
        kind: z.enum(['account', 'deal', 'provider']),
        key: z.string().max(128),
        fromHeight: z.int().min(1).optional()
      }),
      (api, p) => api.ledgerProve(p.kind, p.key, p.fromHeight)
    )
  ],
  ['validatorStatus', method(nothing, api => api.validatorStatus())],
  [
    'validatorAct',
    method(
      z.strictObject({
        action: z.enum(['register', 'bond', 'unbond', 'withdraw', 'unjail']),
        units: units.optional()
      }),
      (api, p) => api.validatorAct(p.action, p.units)
    )
  ],
  ['governance', method(nothing, api => api.governance())],
  [
    'propose',
    method(
      z.strictObject({
        changes: z.array(z.strictObject({ name: z.string(), value: decimal })).min(1),
        heights: count.optional()
      }),
      (api, p) => api.propose(p.changes, p.heights)
    )
  ],
  [
    'vote',
    method(z.strictObject({ proposer: z.string(), id: hex64 }), (api, p) =>
      api.vote(p.proposer, p.id)
    )
  ],
  ['peers', method(nothing, api => api.peers())],
  [
    'audit',
    method(z.strictObject({ subject: z.string() }), (api, p) =>
      api.audit(parseAuditSubject(p.subject))
    )
  ],
  [
    'repairMap',
    method(z.strictObject({ cid: z.string() }), (api, p) => api.repairMap(parseMapCid(p.cid)))
  ],
  [
    'repairMaps',
    method(z.strictObject({ deal: z.string() }), (api, p) => api.repairMaps(parseDealId(p.deal)))
  ],
  ['publishRepairMap', method(onePath, (api, p) => api.publishRepairMap(normalisePath(p.path)))],
  [
    'exportEvidence',
    method(
      z.strictObject({
        subject: z.union([
          z.strictObject({ deal: z.string() }),
          z.strictObject({ repairMap: z.string() })
        ])
      }),
      (api, { subject }) =>
        api.exportEvidence(
          'deal' in subject
            ? { deal: parseDealId(subject.deal) }
            : { repairMap: parseMapCid(subject.repairMap) }
        )
    )
  ]
])

function method<T>(
  schema: z.ZodType<T>,
  call: (api: ControlApi, params: T) => Promise<unknown>
): Method {
  return async (api, params) => {
    const parsed = schema.safeParse(params)
    if (parsed.success) return call(api, parsed.data)
    const [issue] = parsed.error.issues
    const at = issue!.path.length === 0 ? 'the parameters' : issue!.path.join('.')
    throw new HoldfastError('INVALID_ARGUMENT', `${at}: ${issue!.message}`)
  }
}

function quoteRequest(
  params: { [K in keyof QuoteRequest]: QuoteRequest[K] | undefined }
): QuoteRequest {
  const request = definedOnly(params) as QuoteRequest
  if (request.profile !== undefined) parseProfile(request.profile)
  return request
}

/** Without the keys whose value is undefined. */
function definedOnly<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}

/** @throws HoldfastError INVALID_ARGUMENT for a method that does not exist, or parameters that do not fit */
export async function callMethod(api: ControlApi, name: string, params: unknown): Promise<unknown> {
  const found = METHODS.get(name)
  if (found === undefined) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `the control API has no method ${name.slice(0, 64)}`
    )
  }
  return found(api, params)
}
