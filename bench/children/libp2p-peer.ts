/** The other end of a transfer over libp2p as published; the argument names the encrypter. */
import process from 'node:process'
import { createStockNode, receive, STOCK_PROTOCOL, type StockEncrypter } from './libp2p-protocol.ts'
import { serveParent } from './messages.ts'

const node = await createStockNode(process.argv[2] as StockEncrypter)
await node.handle(STOCK_PROTOCOL, receive)
serveParent(node.getMultiaddrs()[0]!.toString())
