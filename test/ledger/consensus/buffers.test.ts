/** What the driver keeps of peers before it has looked at it: bounded, and fair. */
import assert from 'node:assert/strict'
import { VALIDATORS_MAX } from '../../../src/base/limits.ts'
import {
  EARLY_MESSAGES_PER_PEER_MAX,
  EARLY_PROPOSALS_BYTES_MAX,
  EarlyMessages
} from '../../../src/ledger/consensus/early-messages.ts'
import {
  INBOX_BYTES_PER_PEER_MAX,
  INBOX_MESSAGES_PER_PEER_MAX,
  INBOX_PEERS_MAX,
  Inbox
} from '../../../src/ledger/consensus/inbox.ts'
import type { Message } from '../../../src/ledger/consensus/types.ts'
import { notarize } from './support.ts'

describe('inbox', () => {
  it('takes from everybody in turn, each in order', () => {
    const inbox = new Inbox()
    for (const text of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) {
      assert.ok(inbox.put(text[0]!, new Uint8Array([Number(text[1])])))
    }
    const order: string[] = []
    for (let next = inbox.take(); next !== undefined; next = inbox.take()) {
      order.push(`${next.from}${next.bytes[0]}`)
    }
    assert.deepEqual(order, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
    assert.ok(inbox.isEmpty)
  })

  it('drops what a flooding peer sends beyond its share, and nothing of others', () => {
    const inbox = new Inbox()
    for (let i = 0; i < 10 * INBOX_MESSAGES_PER_PEER_MAX; i++) inbox.put('flood', new Uint8Array(9))
    assert.equal(inbox.size().messages, INBOX_MESSAGES_PER_PEER_MAX)
    const big = new Uint8Array(INBOX_BYTES_PER_PEER_MAX / 2)
    assert.deepEqual(
      [inbox.put('big', big), inbox.put('big', big), inbox.put('big', big)],
      [true, true, false]
    )
    assert.ok(inbox.put('quiet', new Uint8Array(9)))
    for (let i = 0; i < 2 * INBOX_PEERS_MAX; i++) inbox.put(`peer ${i}`, new Uint8Array(1))
    assert.ok(inbox.size().messages <= INBOX_MESSAGES_PER_PEER_MAX + 3 + INBOX_PEERS_MAX)
  })
})

function vote(height: bigint, view = 1n): Message {
  const [blockHash, signature] = [new Uint8Array(32), new Uint8Array(64)]
  return {
    type: 'vote',
    vote: { kind: notarize, height, view, blockHash, validator: 0, signature }
  }
}

function proposal(height: bigint, bytes: number): Message {
  const [blockHash, signature] = [new Uint8Array(32), new Uint8Array(64)]
  const block = new Uint8Array(bytes)
  return {
    type: 'proposal',
    proposal: { height, view: 1n, blockHash, base: 0n, signature, justify: [], block }
  }
}

describe('early messages', () => {
  it('are those of view 1 of the open height and the next', () => {
    const early = new EarlyMessages()
    for (const height of [4n, 5n, 6n, 7n]) early.put(5n, 'a', vote(height))
    early.put(5n, 'a', vote(5n, 2n))
    const need = { height: 5n, view: 1n, lacking: undefined as never, blocks: [] }
    early.put(5n, 'a', { type: 'need', need })
    assert.equal(early.size, 2)
    assert.deepEqual(early.take(5n), [{ from: 'a', message: vote(5n) }])
    assert.deepEqual(early.take(5n), [])
    assert.equal(early.take(7n).length, 0, 'height 6 is over')
    assert.equal(early.size, 0)
  })

  it('are bounded per peer and in all, and the room comes back', () => {
    const early = new EarlyMessages()
    for (let peer = 0; peer < 2 * VALIDATORS_MAX; peer++) {
      for (let i = 0; i < 2 * EARLY_MESSAGES_PER_PEER_MAX; i++) early.put(1n, `${peer}`, vote(1n))
    }
    assert.equal(early.size, VALIDATORS_MAX * EARLY_MESSAGES_PER_PEER_MAX)
    const other = new EarlyMessages()
    const third = Math.floor(EARLY_PROPOSALS_BYTES_MAX / 3)
    for (const peer of ['a', 'a', 'b', 'c', 'd']) other.put(1n, peer, proposal(1n, third))
    assert.equal(other.size, 3, 'one per peer, three in all')
    assert.equal(other.take(1n).length, 3)
    other.put(2n, 'd', proposal(2n, third))
    assert.equal(other.size, 1)
  })
})
