/** The signer keeps the rules by itself; signatures are bound to kind, view, height and network (ledger.md 1.5). */
import assert from 'node:assert/strict'
import { HoldfastError } from '../../../src/base/errors.ts'
import { ZERO_HASH } from '../../../src/base/hash.ts'
import { blockHashOf, encodeBlock } from '../../../src/ledger/block.ts'
import { genesisCertificate, makeCertificate, signVote } from '../../../src/ledger/certificate.ts'
import {
  createSigner,
  decodeRecord,
  encodeRecord,
  JOURNAL_RECORD_BYTES,
  type JournalRecord,
  type Signer
} from '../../../src/ledger/consensus/signer.ts'
import {
  realVerifier,
  signProposal,
  type UnsignedVote,
  verifyProposal,
  voteOf
} from '../../../src/ledger/consensus/verifier.ts'
import {
  type Block,
  certificateType,
  txHashesType,
  VOTE_KINDS
} from '../../../src/ledger/types/block.ts'
import { flipped, itRandom } from '../../proofs/random.ts'
import { keyOf } from '../support.ts'
import { finalize, network, notarize, nullify } from './support.ts'

const key = keyOf('validator/0')
const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
const vote = (kind: number, view = 1n, blockHash = a, height = 5n): UnsignedVote => ({
  kind,
  height,
  view,
  blockHash: kind === nullify ? ZERO_HASH : blockHash
})
const proposal = (view = 1n, blockHash = a, base = 0n, height = 5n) => ({
  height,
  view,
  blockHash,
  base
})

function signerOf(records: readonly JournalRecord[] = []): Signer {
  return createSigner({ key, network, records })
}

/** Authorizes and journals. False when refused. */
function say(signer: Signer, statement: UnsignedVote): boolean {
  const authorization = signer.authorizeVote(statement)
  if (authorization.ok && authorization.record) signer.journaled(authorization.record)
  return authorization.ok
}

describe('consensus signer', () => {
  it('notarizes and finalizes one block per view, and nullifies or finalizes', () => {
    const signer = signerOf()
    assert.ok(say(signer, vote(notarize)))
    assert.ok(!say(signer, vote(notarize, 1n, b)))
    assert.ok(say(signer, vote(nullify)), 'notarize and nullify go together')
    assert.ok(!say(signer, vote(finalize)))
    assert.ok(say(signer, vote(finalize, 2n)))
    assert.ok(!say(signer, vote(finalize, 2n, b)))
    assert.ok(!say(signer, vote(nullify, 2n)))
    assert.ok(say(signer, vote(notarize, 2n, b)), 'of another view')
  })

  it('proposes once per view: neither another block nor another base', () => {
    const signer = signerOf()
    assert.ok(signer.authorizeProposal(proposal()).ok)
    assert.ok(!signer.authorizeProposal(proposal(1n, b)).ok)
    assert.ok(!signer.authorizeProposal(proposal(2n, a, 1n)).ok === false)
    assert.ok(!signer.authorizeProposal(proposal(2n, a, 0n)).ok)
  })

  it('says the same again, with the same bytes and without a second record', () => {
    const signer = signerOf()
    const first = signer.authorizeVote(vote(notarize))
    assert.ok(first.ok && first.record)
    const unflushed = signer.authorizeVote(vote(notarize))
    assert.ok(unflushed.ok && unflushed.record, 'as long as it is not durable')
    signer.journaled(first.record)
    const again = signer.authorizeVote(vote(notarize))
    assert.ok(again.ok && again.record === undefined)
    assert.deepEqual(signer.signVote(vote(notarize), 3), signer.signVote(vote(notarize), 3))
  })

  it('signs nothing that is not authorized and journaled', () => {
    const signer = signerOf()
    assert.throws(() => signer.signVote(vote(notarize), 0), /journaled/)
    signer.authorizeVote(vote(notarize))
    assert.throws(() => signer.signVote(vote(notarize), 0), /journaled/)
    const unsigned = { ...proposal(), justify: [], block: new Uint8Array(0) }
    assert.throws(() => signer.signProposal(unsigned), /journaled/)
    say(signer, vote(notarize))
    signer.signVote(vote(notarize), 0)
    assert.throws(() => signer.signVote(vote(notarize, 1n, b), 0), /journaled/)
    assert.throws(() => signer.signVote(vote(finalize), 0), /journaled/)
  })

  it('never signs below the highest height, not even the same again', () => {
    const signer = signerOf()
    assert.ok(say(signer, vote(notarize)))
    assert.ok(say(signer, vote(notarize, 1n, b, 6n)))
    assert.ok(!say(signer, vote(notarize)))
    assert.ok(!signer.authorizeProposal(proposal(9n)).ok)
    assert.throws(() => signer.signVote(vote(notarize), 0), /journaled/)
    assert.ok(say(signer, vote(nullify, 4n, a, 6n)), 'the open height stays open')
  })

  it('remembers by its journal alone', () => {
    const first = signerOf()
    const records: JournalRecord[] = []
    for (const statement of [
      vote(notarize, 1n, b, 4n),
      vote(notarize),
      vote(nullify),
      vote(finalize, 2n)
    ]) {
      const authorization = first.authorizeVote(statement)
      assert.ok(authorization.ok && authorization.record)
      records.push(decodeRecord(authorization.record))
    }
    const second = signerOf(records)
    assert.ok(say(second, vote(notarize)))
    second.signVote(vote(notarize), 0)
    assert.ok(!say(second, vote(notarize, 1n, b)))
    assert.ok(!say(second, vote(finalize)))
    assert.ok(!say(second, vote(nullify, 2n)))
    assert.ok(!say(second, vote(notarize, 1n, b, 4n)))
  })

  it('does not start over a journal that contradicts itself', () => {
    const records = [vote(notarize), vote(notarize, 1n, b)].map(said => ({ ...said, base: 0n }))
    assert.throws(() => signerOf(records), /contradict/)
  })

  it('writes records of a fixed size that read back', () => {
    const record = { ...vote(finalize, 2n ** 64n - 1n), base: 7n }
    const bytes = encodeRecord(record)
    assert.equal(bytes.length, JOURNAL_RECORD_BYTES)
    assert.deepEqual(decodeRecord(bytes), record)
    for (const length of [0, JOURNAL_RECORD_BYTES - 1, JOURNAL_RECORD_BYTES + 1]) {
      assert.throws(
        () => decodeRecord(new Uint8Array(length)),
        (error: unknown) => HoldfastError.is(error, 'PROTOCOL_VIOLATION')
      )
    }
  })

  itRandom('never contradicts itself over any sequence and any restarts', random => {
    for (let run = 0; run < 100; run++) {
      const said = new Map<string, string>()
      const records: JournalRecord[] = []
      let [signer, highest] = [signerOf(), 0n]
      for (let i = 0; i < 60; i++) {
        const kind = 1 + random.int(3)
        const height = 5n + BigInt(random.int(2))
        const statement = vote(kind, 1n + BigInt(random.int(2)), random.int(2) ? a : b, height)
        const authorization = signer.authorizeVote(statement)
        if (authorization.ok) {
          if (authorization.record) {
            records.push(decodeRecord(authorization.record))
            signer.journaled(authorization.record)
          }
          assert.ok(height >= highest)
          highest = height
          const id = `${height}/${statement.view}`
          const value = `${kind}/${statement.blockHash[0]}`
          const sides = kind === notarize ? `${id}/notarize` : `${id}/close`
          assert.ok((said.get(sides) ?? value) === value, `${sides}: ${value}`)
          said.set(sides, value)
        }
        if (random.int(10) === 0) signer = signerOf(records)
      }
    }
  })
})

describe('consensus verifier', () => {
  const verifier = realVerifier(network)
  const signer = signerOf()
  for (const statement of [vote(notarize), vote(nullify)]) say(signer, statement)

  it('verifies votes of this network, kind, height, view and block only', () => {
    for (const kind of [notarize, nullify]) {
      const signed = signer.signVote(vote(kind), 0)
      assert.ok(verifier.vote(key.publicKey, signed))
      for (const other of [
        { ...signed, kind: kind === notarize ? finalize : notarize },
        { ...signed, height: 6n },
        { ...signed, view: 2n },
        { ...signed, blockHash: b },
        { ...signed, signature: flipped(signed.signature, 77) }
      ]) {
        assert.ok(!verifier.vote(key.publicKey, other))
      }
      assert.ok(!verifier.vote(keyOf('other').publicKey, signed))
      assert.ok(!realVerifier({ ...network, chainId: 'test-2' }).vote(key.publicKey, signed))
      const genesisHash = new Uint8Array(32)
      assert.ok(!realVerifier({ ...network, genesisHash }).vote(key.publicKey, signed))
    }
  })

  it('verifies proposals by every field that is signed, apart from votes', () => {
    const signature = signProposal(key, network, proposal())
    const good = { ...proposal(), signature }
    assert.ok(verifyProposal(key.publicKey, network, good))
    const whole = { ...good, justify: [], block: new Uint8Array(0) }
    assert.ok(verifier.proposal(key.publicKey, whole))
    for (const other of [{ height: 6n }, { view: 2n }, { blockHash: b }, { base: 1n }]) {
      assert.ok(!verifyProposal(key.publicKey, network, { ...good, ...other }))
    }
    const { chainId } = { chainId: 'test-2' }
    assert.ok(!verifyProposal(key.publicKey, { ...network, chainId }, good))
    assert.ok(!verifier.vote(key.publicKey, { ...vote(notarize), validator: 0, signature }))
  })

  it('verifies certificates of any kind, a nullification only of no block', () => {
    const validator = {
      publicKey: key.publicKey,
      power: 1n,
      account: a,
      beaconKey: new Uint8Array(48)
    }
    for (const kind of Object.values(VOTE_KINDS)) {
      for (const blockHash of [a, ZERO_HASH]) {
        const statement = voteOf(network, { kind, height: 5n, view: 1n, blockHash })
        const by = [{ index: 0, signature: signVote(key, statement) }]
        const cert = makeCertificate(statement, [validator], by)
        const isRight = (blockHash === ZERO_HASH) === (kind === nullify)
        assert.equal(verifier.certificate(cert, [validator]), isRight, `${kind}`)
        assert.ok(!verifier.certificate({ ...cert, view: 2n }, [validator]))
      }
    }
  })

  it('knows a body by its header, its transactions and the certificate it carries', () => {
    const lastCert = genesisCertificate(network.genesisHash)
    const header: Block['header'] = {
      version: 1,
      chainId: 'test-1',
      height: 1n,
      originView: 1n,
      timeMs: 1n,
      parentHash: a,
      lastCertRoot: certificateType.hashTreeRoot(lastCert),
      txRoot: txHashesType.hashTreeRoot([]),
      validatorsHash: a,
      nextValidatorsHash: a,
      paramsHash: a,
      appHash: a,
      resultsHash: a,
      proposer: a,
      reveal: new Uint8Array(0)
    }
    const block: Block = { header, lastCert, txs: [] }
    assert.deepEqual(verifier.block(encodeBlock(block)), blockHashOf(header))
    const stuffed = { ...block, txs: [new Uint8Array(3)] }
    assert.equal(verifier.block(encodeBlock(stuffed)), undefined)
    const otherCert = { ...block, lastCert: { ...lastCert, view: 1n } }
    assert.equal(verifier.block(encodeBlock(otherCert)), undefined)
    assert.equal(verifier.block(new Uint8Array(40)), undefined)
    assert.equal(verifier.block(encodeBlock(block).subarray(1)), undefined)
  })
})
