/** A validator takes transactions from anyone: checked by its mempool before they are kept. */
import { z } from 'zod'
import { KIB, TX_BYTES_MAX } from '../../base/limits.ts'
import { type Mempool, txHash } from '../../ledger/index.ts'
import { TX_PROTOCOL } from '../net/protocols.ts'
import { serve } from '../net/rpc.ts'
import type { Net } from '../net/types.ts'
import { byteString, parseMessage } from '../wire/schema.ts'

const txRequest = z.strictObject({ tx: byteString(1, TX_BYTES_MAX) })

export function serveTransactions(net: Net, mempool: Mempool): void {
  serve(net, TX_PROTOCOL, { requestBytesMax: TX_BYTES_MAX + KIB }, async body => {
    const { tx } = parseMessage(txRequest, body)
    mempool.add(tx)
    return { hash: txHash(tx) }
  })
}
