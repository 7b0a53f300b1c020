import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { TX_BYTES_MAX, VALIDATORS_MAX } from '../../src/base/limits.ts'
import { UNITS_MAX } from '../../src/base/money.ts'
import { decodeBlock } from '../../src/ledger/block.ts'
import { LEAVES_PER_PROOF_MAX } from '../../src/ledger/params.ts'
import { buildTx, decodeTx, signTx } from '../../src/ledger/transaction.ts'
import {
  BLOCK_OVERHEAD_BYTES_MAX,
  blockType,
  certificateType,
  headerType
} from '../../src/ledger/types/block.ts'
import { dealTermsType, revisionType } from '../../src/ledger/types/deal.ts'
import { LEAF_PATH_MAX, proofPayloadType } from '../../src/ledger/types/proof.ts'
import { accountType, dealType } from '../../src/ledger/types/records.ts'
import {
  asciiList,
  BitArray,
  bytes32,
  decodeStrict,
  type Ssz,
  u32,
  u64
} from '../../src/ledger/types/ssz.ts'
import { dealOpenType, dealReviseType, signedTxType } from '../../src/ledger/types/tx.ts'
import { flipped, itRandom, type TestRandom } from '../proofs/random.ts'
import { keyOf, testGenesis } from './support.ts'

/** A random value of a shape: every field by the kind of its sample. */
function samples(random: TestRandom): [string, Ssz<unknown>, unknown][] {
  const b32 = () => random.bytes(32)
  const n = () => BigInt(random.int(2 ** 31)) * BigInt(random.int(2 ** 31))
  const sig = () => random.bytes(64)
  const terms = {
    chainId: 'net-1',
    client: b32(),
    provider: b32(),
    priceUnitsPerGiBPeriod: n(),
    escrowUnits: n(),
    collateralUnits: n(),
    startHeightMax: n(),
    endPeriod: n(),
    openNonce: n()
  }
  const revision = {
    chainId: 'net-1',
    dealId: b32(),
    revision: n(),
    root: b32(),
    leaves: n(),
    bytes: n()
  }
  const signers = Array.from({ length: 1 + random.int(VALIDATORS_MAX) }, () => random.int(2) === 1)
  const cert = {
    kind: 3,
    height: n(),
    view: n(),
    blockHash: b32(),
    signers: BitArray.fromBoolArray(signers),
    signatures: signers.filter(bit => bit).map(sig)
  }
  const header = {
    version: 1,
    chainId: 'net-1',
    height: n(),
    originView: n(),
    timeMs: n(),
    parentHash: b32(),
    lastCertRoot: b32(),
    txRoot: b32(),
    validatorsHash: b32(),
    nextValidatorsHash: b32(),
    paramsHash: b32(),
    appHash: b32(),
    resultsHash: b32(),
    proposer: b32(),
    reveal: random.bytes(random.int(2) * 96)
  }
  const opening = {
    slot: random.int(2 ** 24),
    pieceRoot: b32(),
    pieceBytes: random.int(2 ** 26),
    slotPath: Array.from({ length: random.int(24) }, () => ({ hash: b32(), leaves: n() })),
    leaf: random.bytes(random.int(1025)),
    leafPath: Array.from({ length: random.int(LEAF_PATH_MAX) }, b32)
  }
  const contents = () => ({ revision: n(), root: b32(), leaves: n(), bytes: n() })
  const deal = {
    ...terms,
    openedPeriod: n(),
    startPeriod: n(),
    slot: random.int(2 ** 20),
    closed: random.int(2),
    heldFrom: n(),
    noticeBy: random.int(3),
    failedPeriod: n(),
    abandonPeriods: random.int(2 ** 31),
    bountyPeriods: random.int(2 ** 31),
    noticePeriods: random.int(2 ** 31),
    compensationPerMille: random.int(1001),
    contents: { period: n(), v0: contents(), v1: contents(), v2: contents() },
    settledTo: n(),
    provenPeriods: n(),
    missedPeriods: n(),
    paidUnits: n()
  }
  const txs = Array.from({ length: random.int(4) }, () => random.bytes(random.int(300)))
  return [
    ['terms', dealTermsType as Ssz<unknown>, terms],
    ['revision', revisionType as Ssz<unknown>, revision],
    ['certificate', certificateType as Ssz<unknown>, cert],
    ['header', headerType as Ssz<unknown>, header],
    ['block', blockType as Ssz<unknown>, { header, lastCert: cert, txs }],
    ['proof', proofPayloadType as Ssz<unknown>, { period: n(), openings: [opening, opening] }],
    ['deal', dealType as Ssz<unknown>, deal],
    [
      'account',
      accountType as Ssz<unknown>,
      { balanceUnits: n(), nonce: n(), escrowUnits: n(), collateralUnits: n() }
    ],
    [
      'dealOpen',
      dealOpenType as Ssz<unknown>,
      { terms, clientSignature: sig(), providerSignature: sig() }
    ],
    [
      'dealRevise',
      dealReviseType as Ssz<unknown>,
      { revision, clientSignature: sig(), providerSignature: sig() }
    ]
  ]
}

describe('SSZ of the ledger', () => {
  itRandom('every container survives encoding with its root', random => {
    for (const [name, type, value] of samples(random)) {
      const bytes = type.serialize(value)
      const back = decodeStrict(type, bytes, name, 'TX_INVALID')
      assert.equal(toHex(type.serialize(back)), toHex(bytes), name)
      assert.equal(toHex(type.hashTreeRoot(back)), toHex(type.hashTreeRoot(value)), name)
    }
  })

  itRandom(
    'damaged encodings are refused or are the canonical encoding of something else',
    random => {
      for (let round = 0; round < 30; round++) {
        for (const [name, type, value] of samples(random)) {
          const bytes = type.serialize(value)
          const root = toHex(type.hashTreeRoot(value))
          const damaged = [
            flipped(bytes, random.int(bytes.length * 8)),
            bytes.subarray(0, random.int(bytes.length)),
            Buffer.concat([bytes, random.bytes(1)])
          ]
          for (const other of damaged) {
            let decoded: unknown
            try {
              decoded = decodeStrict(type, other, name, 'TX_INVALID')
            } catch (error) {
              assert.ok(HoldfastError.is(error, 'TX_INVALID'), `${name}: ${String(error)}`)
              continue
            }
            assert.equal(toHex(type.serialize(decoded)), toHex(other))
            assert.notEqual(toHex(type.hashTreeRoot(decoded)), root, name)
          }
        }
      }
    }
  )

  itRandom('random bytes never crash a decoder', random => {
    for (let round = 0; round < 300; round++) {
      const bytes = random.bytes(random.int(600))
      for (const decode of [decodeTx, decodeBlock]) {
        assert.throws(
          () => decode(bytes),
          (error: unknown) => HoldfastError.is(error)
        )
      }
    }
  })

  it('numbers out of range and wrong lengths are programmer errors, not silent', () => {
    assert.throws(() => u64.serialize(2n ** 64n), /out of range/)
    assert.throws(() => u64.serialize(-1n), /out of range/)
    assert.throws(() => u64.hashTreeRoot(2n ** 64n), /out of range/)
    assert.throws(() => u32.serialize(2 ** 32), /out of range/)
    assert.throws(() => u32.serialize(0.5), /out of range/)
    assert.throws(() => bytes32.serialize(new Uint8Array(31)), /expected 32/)
    assert.throws(() => bytes32.hashTreeRoot(new Uint8Array(33)), /expected 32/)
    assert.equal(u64.deserialize(u64.serialize(2n ** 53n + 1n)), 2n ** 53n + 1n)
  })

  it('text hashes as List[byte, N]', () => {
    const text = asciiList(32)
    assert.equal(text.deserialize(text.serialize('net-1')), 'net-1')
    assert.notEqual(toHex(text.hashTreeRoot('a')), toHex(text.hashTreeRoot('a\0')))
    assert.throws(() => text.deserialize(new Uint8Array(33)))
  })
})

describe('limits compose', () => {
  it('the largest proof fits a transaction', () => {
    const full = {
      slot: 2 ** 24 - 1,
      pieceRoot: new Uint8Array(32),
      pieceBytes: 2 ** 26,
      slotPath: Array.from({ length: 24 }, () => ({ hash: new Uint8Array(32), leaves: 1n })),
      leaf: new Uint8Array(1024),
      leafPath: Array.from({ length: LEAF_PATH_MAX }, () => new Uint8Array(32))
    }
    const genesis = testGenesis({})
    const key = keyOf('alice')
    const openings = Array.from({ length: LEAVES_PER_PROOF_MAX }, () => full)
    const tx = buildTx({
      network: { chainId: 'x'.repeat(32), genesisHash: new Uint8Array(32) },
      params: genesis.params,
      sender: key.publicKey,
      nonce: 0n,
      expiryHeight: 0n,
      body: { kind: 'proof', payload: { period: 0n, openings } }
    })
    const bytes = signTx(key, tx)
    assert.ok(bytes.length <= TX_BYTES_MAX && bytes.length > TX_BYTES_MAX - 2_700)
    assert.equal(toHex(signedTxType.serialize(decodeTx(bytes))), toHex(bytes))
  })

  it('a full header and certificate fit the room kept for them', () => {
    const bits = Array.from({ length: VALIDATORS_MAX }, () => true)
    const b32 = new Uint8Array(32)
    const empty = blockType.serialize({
      header: {
        version: 1,
        chainId: 'x'.repeat(32),
        height: 1n,
        originView: 1n,
        timeMs: 1n,
        parentHash: b32,
        lastCertRoot: b32,
        txRoot: b32,
        validatorsHash: b32,
        nextValidatorsHash: b32,
        paramsHash: b32,
        appHash: b32,
        resultsHash: b32,
        proposer: b32,
        reveal: new Uint8Array(96)
      },
      lastCert: {
        kind: 3,
        height: 1n,
        view: 1n,
        blockHash: b32,
        signers: BitArray.fromBoolArray(bits),
        signatures: bits.map(() => new Uint8Array(64))
      },
      txs: []
    })
    assert.ok(empty.length <= BLOCK_OVERHEAD_BYTES_MAX, `${empty.length}`)
  })

  it('the supply cap fits u64 with room for sums', () => {
    assert.ok(UNITS_MAX * 8n < 2n ** 64n)
  })
})
