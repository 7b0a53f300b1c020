/** Providers with deals on a bench chain, and the honest proofs they owe. */

import { assert } from '../../src/base/assert.ts'
import type { SigningKey } from '../../src/base/keys.ts'
import { GIB, GROUP_BYTES, MIB } from '../../src/base/limits.ts'
import { UNITS_PER_TOKEN } from '../../src/base/money.ts'
import {
  type DealTerms,
  dealIdOf,
  periodAt,
  type Revision,
  signPeerBinding,
  signRevision,
  signTerms
} from '../../src/ledger/index.ts'
import { commitPiece, type Opening, openingFor, SumTree } from '../../src/proofs/index.ts'
import { randomBytes } from './bytes.ts'
import { type BenchChain, benchKey, PERIOD_HEIGHTS } from './chain.ts'

const PIECE_BYTES: number = 1 * MIB
const PIECES_PER_DEAL = 64
const DEAL_PERIODS = 1_000n

export interface ProvingProviders {
  /** Signed proof transactions of all providers for the current period; makes the blocks until it has its seed. */
  nextProofs(): Promise<Uint8Array[]>
}

/** Registers the providers, opens a deal with each and fills it. */
export async function startProviders(
  chain: BenchChain,
  client: SigningKey,
  providers: readonly SigningKey[]
): Promise<ProvingProviders> {
  await chain.include(providers.map((provider, i) => register(chain, provider, i)))
  const terms = providers.map((provider, i) => termsFor(chain, client, provider, BigInt(i)))
  await chain.include(terms.map((deal, i) => openDeal(chain, client, providers[i]!, deal, i)))
  const piece = randomBytes(PIECE_BYTES)
  const { root, groupCvs, bytes } = commitPiece(piece)
  const tree = SumTree.from(Array.from({ length: PIECES_PER_DEAL }, () => ({ root, bytes })))
  await chain.include(
    terms.map((deal, i) => fillDeal(chain, client, providers[i]!, { deal, tree, ahead: i }))
  )
  const openLeaf = (leafIndex: bigint): Promise<Opening> =>
    openingFor({
      tree,
      leafIndex,
      readGroup: async (_root, group) =>
        piece.subarray(group * GROUP_BYTES, (group + 1) * GROUP_BYTES),
      groupCvsOf: async () => groupCvs
    })
  return {
    nextProofs: async () => {
      do await chain.include([])
      while (chain.replica.height % BigInt(PERIOD_HEIGHTS) !== 0n)
      const period = periodAt(chain.replica.params, chain.replica.height)
      const txs: Uint8Array[] = []
      for (const provider of providers) {
        const challenge = chain.replica.challenge(provider.publicKey, period)
        assert(challenge !== undefined, 'a provider with pieces is challenged')
        const openings: Opening[] = []
        for (const { leafIndex } of challenge.leaves) openings.push(await openLeaf(leafIndex))
        txs.push(chain.sign(provider, { kind: 'proof', payload: { period, openings } }))
      }
      return txs
    }
  }
}

function register(chain: BenchChain, provider: SigningKey, i: number): Uint8Array {
  const peer = benchKey(`peer-${i}`)
  const binding = {
    ...chain.replica.network,
    account: provider.publicKey,
    peerKey: peer.publicKey
  }
  const payload = { peerKey: peer.publicKey, peerSignature: signPeerBinding(peer, binding) }
  return chain.sign(provider, { kind: 'providerRegister', payload })
}

function termsFor(
  chain: BenchChain,
  client: SigningKey,
  provider: SigningKey,
  openNonce: bigint
): DealTerms {
  const { network, height, params } = chain.replica
  return {
    chainId: network.chainId,
    client: client.publicKey,
    provider: provider.publicKey,
    priceUnitsPerGiBPeriod: BigInt(GIB),
    escrowUnits: 100n * UNITS_PER_TOKEN,
    collateralUnits: 1n * UNITS_PER_TOKEN,
    startHeightMax: height + 50n,
    endPeriod: periodAt(params, height) + DEAL_PERIODS,
    openNonce
  }
}

function openDeal(
  chain: BenchChain,
  client: SigningKey,
  provider: SigningKey,
  terms: DealTerms,
  ahead: number
): Uint8Array {
  const clientSignature = signTerms(client, terms)
  const providerSignature = signTerms(provider, terms)
  const payload = { terms, clientSignature, providerSignature }
  return chain.sign(client, { kind: 'dealOpen', payload }, ahead)
}

function fillDeal(
  chain: BenchChain,
  client: SigningKey,
  provider: SigningKey,
  { deal, tree, ahead }: { deal: DealTerms; tree: SumTree; ahead: number }
): Uint8Array {
  const revision: Revision = {
    chainId: deal.chainId,
    dealId: dealIdOf(deal),
    revision: 1n,
    root: tree.root(),
    leaves: tree.leaves,
    bytes: tree.bytes
  }
  const clientSignature = signRevision(client, revision)
  const providerSignature = signRevision(provider, revision)
  const payload = { revision, clientSignature, providerSignature }
  return chain.sign(client, { kind: 'dealRevise', payload }, ahead)
}
