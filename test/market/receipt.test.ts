/** Durable receipts: for exactly one piece, deal and provider. */
import assert from 'node:assert/strict'
import { concat, fromHex, toHex } from '../../src/base/bytes.ts'
import { signingKeyFromSeed } from '../../src/base/keys.ts'
import {
  openReceipt,
  RECEIPT_BYTES_MAX,
  type Receipt,
  signReceipt
} from '../../src/market/index.ts'
import { flipped } from '../proofs/random.ts'
import { suiteRandom } from '../storage/random.ts'
import { golden, goldenValue, network, node } from './support.ts'

describe('receipt', () => {
  const random = suiteRandom()
  const receiptOf = (): Receipt => ({
    genesisHash: network.genesisHash,
    deal: random.bytes(32),
    root: random.bytes(32),
    bytes: 1 + random.below(1 << 26),
    heldUntilHeight: BigInt(random.below(2 ** 31))
  })

  it('has the frozen bytes and signature', () => {
    const key = signingKeyFromSeed(fromHex(golden.nodeSeed))
    const { receipt, signature } = signReceipt(goldenValue<Receipt>(golden.receipt), key)
    assert.equal(toHex(receipt), golden.receipt.bytes)
    assert.equal(toHex(signature), golden.receipt.signature)
    assert.ok(receipt.length <= RECEIPT_BYTES_MAX)
  })

  it('is read as it was written', () => {
    for (let i = 0; i < 20; i++) {
      const receipt = receiptOf()
      assert.deepEqual(openReceipt(signReceipt(receipt, node), node.publicKey, receipt), receipt)
    }
  })

  it('counts for its piece, its deal, its network and its signer only', () => {
    const receipt = receiptOf()
    const bytes = signReceipt(receipt, node)
    const refuse = (expected: Partial<Receipt>, key = node.publicKey): void => {
      assert.throws(() => openReceipt(bytes, key, { ...receipt, ...expected }), {
        code: 'PROTOCOL_VIOLATION'
      })
    }
    refuse({ root: random.bytes(32) })
    refuse({ deal: random.bytes(32) })
    refuse({ genesisHash: random.bytes(32) })
    refuse({ bytes: receipt.bytes + 1 })
    refuse({}, signingKeyFromSeed(random.bytes(32)).publicKey)
  })

  it('survives no flipped bit, cut or addition', () => {
    const receipt = receiptOf()
    const { receipt: bytes, signature } = signReceipt(receipt, node)
    const open = (changed: Uint8Array, by = signature): void => {
      openReceipt({ receipt: changed, signature: by }, node.publicKey, receipt)
    }
    open(bytes)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      assert.throws(() => open(flipped(bytes, bit)), { code: 'PROTOCOL_VIOLATION' }, `${bit}`)
    }
    for (let bit = 0; bit < 512; bit++) {
      assert.throws(() => open(bytes, flipped(signature, bit)), { code: 'PROTOCOL_VIOLATION' })
    }
    for (const changed of [bytes.subarray(1), concat(bytes, bytes), new Uint8Array(0)]) {
      assert.throws(() => open(changed), { code: 'PROTOCOL_VIOLATION' })
    }
  })
})
