import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { type SigningKey, signingKeyFromSeed } from '../../src/base/keys.ts'
import { initialMix, nextMix } from '../../src/ledger/beacon.ts'
import { quorumOf, signVote } from '../../src/ledger/certificate.ts'
import { type Genesis, genesisHashOf } from '../../src/ledger/genesis.ts'
import { periodPriceUnits } from '../../src/ledger/machine/money.ts'
import { isSignedBy, offenceIdOf } from '../../src/ledger/offence.ts'
import { signValidatorBinding } from '../../src/ledger/rules/validator.ts'
import { buildTx, signTx, txHash } from '../../src/ledger/transaction.ts'
import { voteType } from '../../src/ledger/types/block.ts'
import {
  channelIdOf,
  channelRedeemType,
  signVoucher,
  voucherType
} from '../../src/ledger/types/channel.ts'
import {
  type DealTerms,
  dealIdOf,
  dealTermsType,
  type Extension,
  extensionType,
  type Revision,
  revisionType,
  signExtension,
  signRevision,
  signTerms
} from '../../src/ledger/types/deal.ts'
import type { Validator } from '../../src/ledger/types/records.ts'
import { providerMaintenanceType } from '../../src/ledger/types/tx.ts'
import { evidenceType, validatorBindingType } from '../../src/ledger/types/validator-tx.ts'
import { newFolder, openReplica } from './replica-support.ts'

type Fields = Record<string, string>

/** Frozen; see "how" in the file. */
const golden = JSON.parse(
  readFileSync(new URL('../vectors/ledger.json', import.meta.url), 'utf8')
) as {
  seeds: string[]
  genesis: Fields & {
    genesisTimeMs: number
    params: Fields
    accounts: Fields[]
    validators: Fields[]
  }
  terms: Fields & { value: Fields }
  revision: Fields & { value: Fields }
  transfer: Fields
  vote: Fields & { kind: number }
  evidence: Fields
  binding: Fields
  extension: Fields & { value: Fields }
  channel: Fields
  voucher: Fields
  redeem: Fields
  maintenance: Fields
  price: Fields[]
  quorum: Fields[]
}

const HEX_FIELDS = new Set([
  'client',
  'provider',
  'dealId',
  'root',
  'account',
  'publicKey',
  'beaconKey'
])

/** Values as the vectors write them: bytes in hex, numbers in decimal. */
function decoded<T>(fields: Fields): T {
  const entries = Object.entries(fields).map(([name, text]) => {
    if (name === 'chainId') return [name, text]
    return [name, HEX_FIELDS.has(name) ? fromHex(text) : BigInt(text)]
  })
  return Object.fromEntries(entries) as T
}

describe('golden vectors of the ledger', () => {
  const keys = golden.seeds.map(seed => signingKeyFromSeed(fromHex(seed)))
  const [client, provider, validator] = keys as [SigningKey, SigningKey, SigningKey]
  const chainId = golden.genesis['chainId']!
  const genesis: Genesis = {
    chainId,
    genesisTimeMs: BigInt(golden.genesis.genesisTimeMs),
    params: {
      ...(Object.fromEntries(
        Object.entries(golden.genesis.params).map(([name, text]) => [name, Number(text)])
      ) as unknown as Genesis['params']),
      feeBaseUnits: BigInt(golden.genesis.params['feeBaseUnits']!),
      feePerKiBUnits: BigInt(golden.genesis.params['feePerKiBUnits']!),
      minBondUnits: BigInt(golden.genesis.params['minBondUnits']!)
    },
    accounts: golden.genesis.accounts.map(decoded<Genesis['accounts'][0]>),
    validators: golden.genesis.validators.map(decoded<Genesis['validators'][0]>)
  }
  const genesisHash = genesisHashOf(genesis)

  it('genesis: hash, beacon and state root', async () => {
    assert.equal(toHex(genesisHash), golden.genesis['hash'])
    const mix = initialMix(genesisHash)
    assert.equal(toHex(mix), golden.genesis['mix'])
    assert.equal(toHex(nextMix(mix, new Uint8Array(96).fill(5))), golden.genesis['nextMix'])
    const folder = newFolder()
    const { replica, close } = await openReplica(folder.path, genesis)
    try {
      assert.equal(toHex(replica.head().appHash), golden.genesis['appHash'])
    } finally {
      await close()
      folder.remove()
    }
  })

  it('deal terms and revisions', () => {
    const terms = decoded<DealTerms>(golden.terms.value)
    assert.equal(toHex(dealTermsType.serialize(terms)), golden.terms['ssz'])
    assert.equal(toHex(dealTermsType.hashTreeRoot(terms)), golden.terms['root'])
    assert.equal(toHex(dealIdOf(terms)), golden.terms['dealId'])
    assert.equal(toHex(signTerms(client, terms)), golden.terms['signature'])
    const revision = decoded<Revision>(golden.revision.value)
    assert.equal(toHex(revisionType.serialize(revision)), golden.revision['ssz'])
    assert.equal(toHex(revisionType.hashTreeRoot(revision)), golden.revision['root'])
    assert.equal(toHex(signRevision(provider, revision)), golden.revision['signature'])
  })

  it('an extension of a deal and a declaration of maintenance', () => {
    const extension = decoded<Extension>(golden.extension.value)
    assert.equal(toHex(extensionType.serialize(extension)), golden.extension['ssz'])
    assert.equal(toHex(extensionType.hashTreeRoot(extension)), golden.extension['root'])
    assert.equal(toHex(signExtension(client, extension)), golden.extension['signature'])
    const { fromPeriod, periods, ssz } = golden.maintenance
    const declared = { fromPeriod: BigInt(fromPeriod!), periods: Number(periods) }
    assert.equal(toHex(providerMaintenanceType.serialize(declared)), ssz)
  })

  it('a channel, a voucher of it and its redemption', () => {
    const network = { chainId, genesisHash }
    const openNonce = BigInt(golden.channel['openNonce']!)
    const payee = provider.publicKey
    const channelId = channelIdOf(network, client.publicKey, { payee, openNonce })
    assert.equal(toHex(channelId), golden.channel['id'])
    const cumulativeUnits = BigInt(golden.voucher['cumulativeUnits']!)
    const voucher = { ...network, channelId, cumulativeUnits }
    assert.equal(toHex(voucherType.serialize(voucher)), golden.voucher['ssz'])
    assert.equal(toHex(voucherType.hashTreeRoot(voucher)), golden.voucher['root'])
    const signature = signVoucher(client, voucher)
    assert.equal(toHex(signature), golden.voucher['signature'])
    const redeem = channelRedeemType.serialize({ channelId, cumulativeUnits, signature })
    assert.equal(toHex(redeem), golden.redeem['ssz'])
  })

  it('a signed transaction and its hash', () => {
    const { to, amountUnits, nonce, maxFeeUnits, expiryHeight } = golden.transfer
    const tx = buildTx({
      network: { chainId, genesisHash },
      params: genesis.params,
      sender: client.publicKey,
      nonce: BigInt(nonce!),
      maxFeeUnits: BigInt(maxFeeUnits!),
      expiryHeight: BigInt(expiryHeight!),
      body: { kind: 'transfer', payload: { to: fromHex(to!), amountUnits: BigInt(amountUnits!) } }
    })
    const bytes = signTx(client, tx)
    assert.equal(toHex(bytes), golden.transfer['signed'])
    assert.equal(toHex(txHash(bytes)), golden.transfer['hash'])
  })

  it('a vote', () => {
    const { kind, height, view, blockHash } = golden.vote
    const vote = {
      chainId,
      genesisHash,
      kind,
      height: BigInt(height!),
      view: BigInt(view!),
      blockHash: fromHex(blockHash!)
    }
    assert.equal(toHex(voteType.hashTreeRoot(vote)), golden.vote['root'])
    assert.equal(toHex(signVote(validator, vote)), golden.vote['signature'])
  })

  it('evidence and the binding of a validator’s keys', () => {
    const { kind, height, view, blockHash, signature } = golden.vote
    const { otherBlockHash, otherSignature } = golden.evidence
    const said = (hash: string, by: string) => ({
      kind,
      blockHash: fromHex(hash),
      base: 0n,
      signature: fromHex(by)
    })
    const evidence = {
      voteKey: validator.publicKey,
      height: BigInt(height!),
      view: BigInt(view!),
      first: said(blockHash!, signature!),
      second: said(otherBlockHash!, otherSignature!)
    }
    assert.equal(toHex(evidenceType.serialize(evidence)), golden.evidence['ssz'])
    assert.equal(toHex(offenceIdOf(evidence)), golden.evidence['id'])
    assert.ok(isSignedBy(evidence, evidence.second, { chainId, genesisHash }))
    const [{ account, publicKey: voteKey, beaconKey }] = genesis.validators as [Validator]
    const binding = { chainId, genesisHash, account, voteKey, beaconKey }
    assert.equal(toHex(validatorBindingType.hashTreeRoot(binding)), golden.binding['root'])
    const signed = signValidatorBinding(validator, binding)
    assert.equal(toHex(signed), golden.binding['voteSignature'])
  })

  it('prices and quorums', () => {
    for (const { priceUnitsPerGiBPeriod, bytes, units } of golden.price) {
      assert.equal(
        periodPriceUnits(BigInt(priceUnitsPerGiBPeriod!), BigInt(bytes!)),
        BigInt(units!)
      )
    }
    for (const { power, quorum } of golden.quorum) {
      assert.equal(quorumOf(BigInt(power!)), BigInt(quorum!))
    }
  })
})
