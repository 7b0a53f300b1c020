/** Asks, candidates and receipts of test providers. */
import { readFileSync } from 'node:fs'
import { fromHex, utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { type SigningKey, signingKeyFromSeed } from '../../src/base/keys.ts'
import type { NetworkId } from '../../src/ledger/index.ts'
import type { Ask, Candidate } from '../../src/market/index.ts'

export const network: NetworkId = {
  chainId: 'test-1',
  genesisHash: new Uint8Array(sha256(utf8('genesis')))
}
export const wallet: SigningKey = signingKeyFromSeed(sha256(utf8('wallet')))
export const node: SigningKey = signingKeyFromSeed(sha256(utf8('node')))

export const HEIGHT = 100n

export function askOf(changes: Partial<Ask> = {}): Ask {
  return {
    ...network,
    account: wallet.publicKey,
    peerKey: node.publicKey,
    priceUnitsPerGiBPeriod: 1_000_000n,
    egressUnitsPerGiB: 1_000_000n,
    collateralUnits: 500n,
    dealPeriodsMin: 1,
    dealPeriodsMax: 100,
    pieceBytesMin: 0,
    pieceBytesMax: 1 << 20,
    freeBytes: 1n << 40n,
    region: 'eu',
    operator: 'test',
    validUntilHeight: HEIGHT + 50n,
    ...changes
  }
}

export function candidateOf(peerId: string, changes: Partial<Candidate & Ask> = {}): Candidate {
  const { quality = 500, subnet = peerId, ...ask } = changes
  return { peerId, quality, subnet, ask: askOf({ operator: '', region: '', ...ask }) }
}

interface GoldenAsk {
  value: Record<string, string | number>
  bytes: string
  signature: string
}

/** Frozen; see "how" in the file. */
export const golden: {
  walletSeed: string
  nodeSeed: string
  asks: GoldenAsk[]
  receipt: GoldenAsk
} = JSON.parse(readFileSync(new URL('../vectors/market.json', import.meta.url), 'utf8'))

const TEXTS = new Set(['chainId', 'region', 'operator'])

/** Values as the vectors write them: bytes in hex, u64 as decimal text, u32 as numbers. */
export function goldenValue<T>({ value }: GoldenAsk): T {
  const entries = Object.entries(value).map(([name, field]) => {
    if (typeof field === 'number' || TEXTS.has(name)) return [name, field]
    return [name, /^[0-9a-f]{64}$/.test(field) ? fromHex(field) : BigInt(field)]
  })
  return Object.fromEntries(entries) as T
}
