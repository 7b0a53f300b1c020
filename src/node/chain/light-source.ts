/** Peers as sources of a light client: what they send is decoded and bounded here, and believed by nobody yet. */
import { HoldfastError } from '../../base/errors.ts'
import {
  decodeLightBlock,
  type LightBlock,
  type LightSource,
  type ProvenRecord
} from '../../ledger/index.ts'
import { LIGHT_PROTOCOL } from '../net/protocols.ts'
import { request } from '../net/rpc.ts'
import type { Net } from '../net/types.ts'
import { parseMessage } from '../wire/schema.ts'
import {
  BLOCK_ANSWER_BYTES_MAX,
  blockAnswer,
  RECORDS_BYTES_MAX,
  type RecordQuery,
  recordFromWire,
  recordsAnswer
} from './light-messages.ts'

const ANSWER_TIMEOUT_MS = 10_000

export interface ProvenRecords {
  /** Of the header that carries their state hash. */
  headerHeight: bigint
  /** In the order of the queries. */
  records: ProvenRecord[]
}

export interface LightPeer extends LightSource {
  /** @param queries 1 to RECORDS_MAX @throws HoldfastError what the peer answers, and those of `request` */
  records(queries: readonly RecordQuery[], signal: AbortSignal): Promise<ProvenRecords>
}

export function lightPeer(net: Net, peerId: string): LightPeer {
  const ask = (body: object, responseBytesMax: number, signal: AbortSignal): Promise<unknown> =>
    request(net, peerId, LIGHT_PROTOCOL, body, {
      responseBytesMax,
      timeoutMs: ANSWER_TIMEOUT_MS,
      signal
    })
  return {
    id: peerId,
    lightBlock: async (height, signal): Promise<LightBlock> => {
      const body = { op: 'block', ...(height === 'newest' ? {} : { height: Number(height) }) }
      const answer = await ask(body, BLOCK_ANSWER_BYTES_MAX, signal)
      return decodeLightBlock(parseMessage(blockAnswer, answer).block)
    },
    records: async (queries, signal): Promise<ProvenRecords> => {
      const answer = await ask({ op: 'records', records: queries }, RECORDS_BYTES_MAX, signal)
      const { height, records } = parseMessage(recordsAnswer, answer)
      if (records.length !== queries.length) {
        throw new HoldfastError('PROTOCOL_VIOLATION', 'another number of records than asked for')
      }
      return {
        headerHeight: BigInt(height),
        records: records.map((wire, i) => recordFromWire(queries[i]!, wire))
      }
    }
  }
}
