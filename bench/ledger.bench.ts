/**
 * A validator's whole work on a transaction: admission with its signature check, ordering, execution, state tree,
 * synced commit. Wall time, with fsync; the second ratio compares CPU time. The peer is the bare signature check.
 */
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import type { SigningKey } from '../src/base/keys.ts'
import { compare, rowOf, timed } from './harness.ts'
import { rowName } from './row-name.ts'
import { randomBytes } from './support/bytes.ts'
import { benchKey, openBenchChain } from './support/chain.ts'
import { startProviders } from './support/proving.ts'
import type { Area, Contestant } from './types.ts'

const SENDERS = 8
/** Below the mempool's limit per sender. */
const TRANSFERS_PER_SENDER = 32
const PROVIDERS = 16
const SIGNATURES = 2_000
const PEER = 'ed25519-verify'

function keys(name: string, count: number): SigningKey[] {
  return Array.from({ length: count }, (_, i) => benchKey(`${name}-${i}`))
}

export const area: Area = {
  name: 'ledger',
  about:
    'transfers and proofs through mempool, engine and replica against Ed25519 verification alone',
  async *run(context) {
    const senders = keys('sender', SENDERS)
    const providers = keys('provider', PROVIDERS)
    const client = benchKey('client')
    const chain = await openBenchChain([...senders, ...providers, client])
    try {
      const proving = await startProviders(chain, client, providers)
      const transfers: Contestant = {
        name: 'transfer',
        sample: async () => {
          const payload = { to: client.publicKey, amountUnits: 1n }
          const txs = senders.flatMap(sender =>
            Array.from({ length: TRANSFERS_PER_SENDER }, (_, ahead) =>
              chain.sign(sender, { kind: 'transfer', payload }, ahead)
            )
          )
          return await includeAll(chain, txs)
        }
      }
      const proofs: Contestant = {
        name: 'proof',
        sample: async () => await includeAll(chain, await proving.nextProofs())
      }
      const rounds = await compare([transfers, proofs, signatures()], context)
      const counts = { transfer: SENDERS * TRANSFERS_PER_SENDER, proof: PROVIDERS }
      for (const [op, n] of Object.entries(counts)) {
        const name = rowName('ledger', op, { n })
        yield rowOf(rounds, { name, ours: op, peers: [PEER], unit: 'ops', basis: 'wall' })
      }
    } finally {
      await chain.close()
    }
  }
}

async function includeAll(
  chain: { include(txs: readonly Uint8Array[]): Promise<void> },
  txs: readonly Uint8Array[]
): ReturnType<typeof timed> {
  return await timed(async () => {
    await chain.include(txs)
    return txs.length
  })
}

function signatures(): Contestant {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const message = randomBytes(200)
  const signature = sign(null, message, privateKey)
  const sample: Contestant['sample'] = () =>
    timed(async () => {
      for (let i = 0; i < SIGNATURES; i++) verify(null, message, publicKey, signature)
      return SIGNATURES
    })
  return { name: PEER, sample }
}
