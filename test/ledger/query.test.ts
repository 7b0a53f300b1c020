import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.ts'
import type { SigningKey } from '../../src/base/keys.ts'
import { GIB } from '../../src/base/limits.ts'
import { signPeerBinding } from '../../src/ledger/rules/provider.ts'
import type { TxBody } from '../../src/ledger/transaction.ts'
import { channelIdOf, signVoucher } from '../../src/ledger/types/channel.ts'
import {
  type DealTerms,
  dealIdOf,
  type Revision,
  signRevision,
  signTerms
} from '../../src/ledger/types/deal.ts'
import { newFolder, nextBlock, openReplica, txOf } from './replica-support.ts'
import { keyOf, openLeafOf, pieceOf, testGenesis, treeOf } from './support.ts'

const client = keyOf('alice')
const provider = keyOf('bob')
const peer = keyOf('peer/bob')
const NAMES = ['v0']

describe('queries', () => {
  it('follow a deal from its opening to its close', async () => {
    const folder = newFolder()
    const genesis = testGenesis(
      { alice: 10_000_000n, bob: 1_000_000n },
      { periodHeights: 3, revealEveryHeights: 3 },
      { v0: 1n }
    )
    const { replica, close } = await openReplica(folder.path, genesis)
    const block = async (key?: SigningKey, body?: TxBody): Promise<void> => {
      const txs = body === undefined ? [] : [txOf(replica, key!, body)]
      const { block: made, cert } = nextBlock(replica, NAMES, txs)
      const { txs: results } = await replica.applyFinalized(made, cert)
      assert.deepEqual(
        results.map(({ outcome }) => outcome),
        txs.map(() => 'ok')
      )
    }
    const toPeriod = async (period: bigint): Promise<void> => {
      while (replica.period() < period) await block()
    }
    try {
      const binding = { ...replica.network, account: provider.publicKey, peerKey: peer.publicKey }
      const peerSignature = signPeerBinding(peer, binding)
      assert.equal(replica.provider(provider.publicKey), undefined)
      await block(provider, {
        kind: 'providerRegister',
        payload: { peerKey: peer.publicKey, peerSignature }
      })
      assert.equal(
        toHex(replica.providerByPeerKey(peer.publicKey)!.account),
        toHex(provider.publicKey)
      )
      assert.equal(replica.providerByPeerKey(client.publicKey), undefined)

      const terms: DealTerms = {
        chainId: genesis.chainId,
        client: client.publicKey,
        provider: provider.publicKey,
        priceUnitsPerGiBPeriod: BigInt(GIB),
        escrowUnits: 100_000n,
        collateralUnits: 40n,
        startHeightMax: 100n,
        endPeriod: 4n,
        openNonce: 1n
      }
      const id = dealIdOf(terms)
      const [clientSignature, providerSignature] = [client, provider].map(key =>
        signTerms(key, terms)
      )
      await block(client, {
        kind: 'dealOpen',
        payload: { terms, clientSignature: clientSignature!, providerSignature: providerSignature! }
      })
      const opened = replica.deal(id)!
      assert.deepEqual([opened.closableFrom, opened.canFail, opened.missedInARow], [6n, false, 0n])
      assert.equal(replica.escrowShortfall(id, 10_000n, 4n), 0n)
      assert.equal(replica.escrowShortfall(id, 10_000n, 12n), 20_000n)
      assert.deepEqual(
        [opened.state, opened.startPeriod, opened.escrowUnits],
        ['open', undefined, 100_000n]
      )
      assert.equal(replica.account(client.publicKey).escrowUnits, 100_000n)
      assert.equal(replica.account(provider.publicKey).collateralUnits, 40n)
      assert.equal(replica.dealsOfClient(client.publicKey).length, 1)
      assert.equal(toHex(replica.dealsOfProvider(provider.publicKey)[0]!.id), toHex(id))
      assert.deepEqual(replica.dealsOfClient(provider.publicKey), [])

      await toPeriod(1n)
      const pieces = [pieceOf('x', 3_000), pieceOf('y', 2_000)]
      const tree = treeOf(pieces)
      const revision: Revision = {
        chainId: genesis.chainId,
        dealId: id,
        revision: 4n,
        root: tree.root(),
        leaves: tree.leaves,
        bytes: tree.bytes
      }
      await block(provider, {
        kind: 'dealRevise',
        payload: {
          revision,
          clientSignature: signRevision(client, revision),
          providerSignature: signRevision(provider, revision)
        }
      })
      assert.equal(replica.deal(id)!.revision, 4n)
      assert.equal(replica.deal(id)!.startPeriod, 2n)
      assert.equal(replica.challenge(provider.publicKey, 1n), undefined, 'no leaves yet')
      assert.equal(replica.challenge(provider.publicKey, 2n), undefined, 'no seed yet')

      await toPeriod(2n)
      const challenge = replica.challenge(provider.publicKey, 2n)!
      assert.equal(challenge.leaves.length, 3)
      const openings = []
      for (const leaf of challenge.leaves) {
        assert.deepEqual(
          [toHex(leaf.dealId), toHex(leaf.dealRoot), leaf.dealLeaves, leaf.revision],
          [toHex(id), toHex(tree.root()), tree.leaves, 4n]
        )
        openings.push(await openLeafOf(pieces, leaf.leafIndex))
      }
      await block(provider, { kind: 'proof', payload: { period: 2n, openings } })
      const proven = replica.deal(id)!
      assert.deepEqual(
        [proven.provenPeriods, proven.missedPeriods, proven.owedUnits],
        [1n, 0n, 5_000n]
      )
      assert.equal(replica.provider(provider.publicKey)!.lastProvenPeriod, 2n)
      assert.equal(replica.provider(provider.publicKey)!.state, 'ok')

      await toPeriod(5n)
      const ended = replica.deal(id)!
      assert.deepEqual([ended.state, ended.provenPeriods, ended.missedPeriods], ['ended', 1n, 1n])
      assert.equal(replica.challenge(provider.publicKey, 2n), undefined, 'its time is over')
      await toPeriod(6n)
      await block(client, { kind: 'dealClose', payload: { dealId: id } })
      const closed = replica.deal(id)!
      assert.deepEqual(
        [
          closed.state,
          closed.provenPeriods,
          closed.missedPeriods,
          closed.paidUnits,
          closed.owedUnits
        ],
        ['closed', 1n, 2n, 5_000n, 0n]
      )
      assert.equal(replica.account(client.publicKey).escrowUnits, 0n)
      await replica.audit()

      const payload = {
        payee: provider.publicKey,
        depositUnits: 600n,
        expiryHeight: replica.height + 9n,
        openNonce: 3n
      }
      const channelId = channelIdOf(replica.network, client.publicKey, payload)
      assert.equal(replica.channel(channelId), undefined)
      await block(client, { kind: 'channelOpen', payload })
      const { network } = replica
      const signature = signVoucher(client, { ...network, channelId, cumulativeUnits: 150n })
      await block(provider, {
        kind: 'channelRedeem',
        payload: { channelId, cumulativeUnits: 150n, signature }
      })
      const [channel] = replica.channelsOfPayer(client.publicKey)
      assert.equal(toHex(channel!.id), toHex(channelId))
      assert.equal(replica.channel(channelId)!.redeemedUnits, 150n)
      assert.deepEqual([channel!.depositUnits, channel!.redeemedUnits], [600n, 150n])
      assert.equal(replica.account(client.publicKey).escrowUnits, 450n)
      assert.deepEqual(replica.channelsOfPayer(provider.publicKey), [])
      await replica.audit()
    } finally {
      await close()
      folder.remove()
    }
  })
})
