/** The formats of consensus on wire and disk, frozen in test/vectors/consensus.json. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fromHex, toHex, utf8 } from '../../../src/base/bytes.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { signingKeyFromSeed } from '../../../src/base/keys.ts'
import { makeCertificate, signVote } from '../../../src/ledger/certificate.ts'
import { encodeFrame, scanFrames } from '../../../src/ledger/consensus/frames.ts'
import { encodeRecord, recordOfProposal } from '../../../src/ledger/consensus/signer.ts'
import type { Message, SignedProposal, SignedVote } from '../../../src/ledger/consensus/types.ts'
import { signProposal, voteOf } from '../../../src/ledger/consensus/verifier.ts'
import { decodeMessage, encodeMessage } from '../../../src/ledger/consensus/wire.ts'
import { VOTE_KINDS } from '../../../src/ledger/types/block.ts'
import type { Validator } from '../../../src/ledger/types/records.ts'
import { BitArray } from '../../../src/ledger/types/ssz.ts'
import { introduce, introduced } from '../../../src/node/validator/introduction.ts'

const golden = JSON.parse(
  readFileSync(new URL('../../vectors/consensus.json', import.meta.url), 'utf8')
) as Record<string, string>

const hash = (text: string): Uint8Array => sha256(utf8(text))
const key = signingKeyFromSeed(hash('validator'))
const network = { chainId: 'golden', genesisHash: hash('genesis') }
const height = 7n
const view = 3n
const blockHash = hash('block')
const set: Validator[] = [
  { publicKey: key.publicKey, power: 1n, account: hash('account'), beaconKey: new Uint8Array(48) }
]

const unsigned = { kind: VOTE_KINDS.notarize, height, view, blockHash }
const vote: SignedVote = {
  ...unsigned,
  validator: 0,
  signature: signVote(key, voteOf(network, unsigned))
}
const cert = makeCertificate(voteOf(network, unsigned), set, [
  { index: 0, signature: vote.signature }
])
const statement = { height, view: view + 1n, blockHash, base: view }
const proposal: SignedProposal = {
  ...statement,
  signature: signProposal(key, network, statement),
  justify: [cert],
  block: new Uint8Array(0)
}
const messages: Record<string, Message> = {
  proposal: { type: 'proposal', proposal },
  vote: { type: 'vote', vote },
  need: {
    type: 'need',
    need: { height, view, lacking: BitArray.fromBoolArray([true, false]), blocks: [blockHash] }
  },
  have: {
    type: 'have',
    have: { height, certs: [cert], votes: [vote], proposals: [], blocks: [utf8('a block')] }
  }
}
const ends = {
  genesisHash: network.genesisHash,
  fromPeerKey: hash('from'),
  toPeerKey: hash('to')
}

describe('ledger/consensus golden vectors', () => {
  for (const [name, message] of Object.entries(messages)) {
    it(`keeps the message ${name}`, () => {
      assert.equal(toHex(encodeMessage(message)), golden[name])
      assert.equal(toHex(encodeMessage(decodeMessage(fromHex(golden[name]!)))), golden[name])
    })
  }

  it('keeps the journal', () => {
    const record = encodeRecord(recordOfProposal(statement))
    assert.equal(toHex(record), golden['journalRecord'])
    const frame = encodeFrame(5n, [{ type: 1, payload: record }])
    assert.equal(toHex(frame), golden['journalFrame'])
    const { frames, length } = scanFrames(fromHex(golden['journalFrame']!))
    assert.equal(length, frame.length)
    assert.deepEqual(frames, [{ sequence: 5n, records: [{ type: 1, payload: record }] }])
  })

  it('keeps the introduction of a link', () => {
    assert.equal(toHex(introduce(key, ends)), golden['introduction'])
    const proven = introduced(fromHex(golden['introduction']!), ends)
    assert.deepEqual(proven, key.publicKey)
  })
})
