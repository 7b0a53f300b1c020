/**
 * The sending end of a transfer, in a process of its own: garbage and compiled code of one contestant cost no other.
 * Arguments: what to send over, the address of the receiving end, and the number of streams.
 */
import process from 'node:process'
import {
  createStockNode,
  dialStock,
  type StockEncrypter,
  sendOverStock
} from './libp2p-protocol.ts'
import { serveParent } from './messages.ts'
import { BENCH_PROTOCOL, createBenchNet, sendOverNet } from './net-protocol.ts'
import { sendBytes, type Transport } from './tcp-protocol.ts'

type Send = (bytes: number) => Promise<void>

const [over, address, streams] = process.argv.slice(2) as [string, string, string]
const [kind, option] = over.split('/') as [string, string]
const streamIndexes = Array.from({ length: Number(streams) }, (_, i) => i)

async function overNet(): Promise<Send> {
  const net = await createBenchNet()
  await net.start()
  const peer = await net.connect(address)
  const channels = await Promise.all(streamIndexes.map(() => net.open(peer, BENCH_PROTOCOL)))
  return async bytes => {
    await Promise.all(channels.map(channel => sendOverNet(channel, bytes / channels.length)))
  }
}

async function overStock(encrypter: StockEncrypter): Promise<Send> {
  const connection = await dialStock(await createStockNode(encrypter), address)
  return async bytes => {
    const share = bytes / streamIndexes.length
    await Promise.all(streamIndexes.map(() => sendOverStock(connection, share)))
  }
}

async function sender(): Promise<Send> {
  if (kind === 'net') return await overNet()
  if (kind === 'stock') return await overStock(option as StockEncrypter)
  return bytes => sendBytes(option as Transport, Number(address), bytes)
}

serveParent('', await sender())
