import assert from 'node:assert/strict'
import { Outbox } from '../../../src/node/validator/outbox.ts'
import { Pace } from '../../../src/node/validator/pace.ts'

describe('node/validator/outbox', () => {
  const message = (value: number, length = 10): Uint8Array => new Uint8Array(length).fill(value)

  it('hands out in order, waiting for what is not there yet', async () => {
    const outbox = new Outbox({ messagesMax: 10, bytesMax: 1_000 })
    const { signal } = new AbortController()
    outbox.push(message(1))
    outbox.push(message(2))
    assert.equal((await outbox.next(signal))?.[0], 1)
    assert.equal((await outbox.next(signal))?.[0], 2)
    const later = outbox.next(signal)
    outbox.push(message(3))
    assert.equal((await later)?.[0], 3)
    assert.equal(outbox.bytes, 0)
  })

  it('lets the oldest give way beyond either limit', async () => {
    const outbox = new Outbox({ messagesMax: 3, bytesMax: 35 })
    for (const value of [1, 2, 3, 4]) outbox.push(message(value))
    assert.equal(outbox.dropped, 1)
    outbox.push(message(5, 20))
    assert.equal(outbox.bytes, 30)
    assert.equal(outbox.dropped, 3)
    assert.equal((await outbox.next(new AbortController().signal))?.[0], 4)
  })

  it('stops waiting when told to', async () => {
    const outbox = new Outbox({ messagesMax: 3, bytesMax: 35 })
    const stop = new AbortController()
    const waiting = outbox.next(stop.signal)
    stop.abort()
    assert.equal(await waiting, undefined)
  })
})

describe('node/validator/pace', () => {
  it('lets a second of either budget through at once, then asks to wait', () => {
    let nowMs = 0
    const pace = new Pace({ bytesPerSecond: 1_000, messagesPerSecond: 10, nowMs: () => nowMs })
    for (let i = 0; i < 10; i++) assert.equal(pace.took(1), 0)
    assert.equal(pace.took(1), 100)
    nowMs = 1_100
    assert.equal(pace.took(500), 0)
    assert.equal(pace.took(1_000), 500)
    nowMs = 100_000
    assert.equal(pace.took(1_000), 0)
  })
})
