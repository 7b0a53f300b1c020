import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect, type SecureVersion, TLSSocket } from 'node:tls'
import type { MessageStream, SecuredConnection } from '@libp2p/interface'
import { type ErrorCode, HoldfastError } from '../../../src/base/errors.ts'
import { KIB } from '../../../src/base/limits.ts'
import {
  type Certificate,
  makeCertificate,
  selfSigned
} from '../../../src/node/net/tls/certificate.ts'
import type { RefusalReason } from '../../../src/node/net/tls/refusal.ts'
import { rejectsWith, SEED, seededRandom, until } from './support.ts'
import { type Alter, type Identity, identity, idOf, receive, testWires } from './tls-support.ts'

type Direction = 'inbound' | 'outbound'
const DIRECTIONS: Direction[] = ['inbound', 'outbound']
const YEAR_MS = 365 * 24 * 60 * 60_000
/** What a handshake with a hostile peer may end with, within the test's patience. */
const FAILURES: ErrorCode[] = ['PROTOCOL_VIOLATION', 'UNREACHABLE', 'TIMEOUT']

interface Shown {
  certificates: Certificate[]
  alpn?: string[]
  version?: SecureVersion
}

describe('node/net/tls against hostile peers', () => {
  const wires = testWires()
  afterEach(() => wires.close())

  function secure(
    who: Identity,
    direction: Direction,
    wire: MessageStream,
    timeoutMs = 5_000,
    remotePeer?: ReturnType<typeof idOf>
  ): Promise<SecuredConnection> {
    const signal = AbortSignal.timeout(timeoutMs)
    const options = remotePeer === undefined ? { signal } : { signal, remotePeer }
    return direction === 'inbound'
      ? who.tls.secureInbound(wire, options)
      : who.tls.secureOutbound(wire, options)
  }

  /** Our handshake with a peer on Node's own TLS that shows this. */
  async function against(direction: Direction, shown: Shown): Promise<SecuredConnection> {
    const [wire, socket] = await wires.bare(direction)
    speakTls(socket, direction === 'outbound', shown)
    return await secure(await identity(), direction, wire)
  }

  const refusals: [RefusalReason, Direction[], () => Promise<Shown>][] = [
    ['certificate-missing', ['inbound'], async () => ({ certificates: [] })],
    [
      'certificate-chain',
      DIRECTIONS,
      async () => ({ certificates: [await fresh(), await fresh()] })
    ],
    [
      'certificate-not-current',
      DIRECTIONS,
      async () => ({ certificates: [await fresh(-101 * YEAR_MS)] })
    ],
    [
      'extension-missing',
      DIRECTIONS,
      async () => ({ certificates: [selfSigned(keyPair(), [], Date.now())] })
    ],
    ['alpn-missing', DIRECTIONS, async () => ({ certificates: [await fresh()], alpn: [] })],
    [
      'handshake-failed',
      DIRECTIONS,
      async () => ({ certificates: [await fresh()], version: 'TLSv1.2' })
    ],
    ['handshake-failed', ['inbound'], async () => ({ certificates: [await fresh()], alpn: ['h2'] })]
  ]
  for (const [reason, directions, shown] of refusals) {
    for (const direction of directions) {
      it(`refuses ${reason}, ${direction}`, async () => {
        const error = await rejectsWith('PROTOCOL_VIOLATION', against(direction, await shown()))
        assert.equal(error.details['reason'], reason, error.message)
      })
    }
  }

  it('accepts a peer on other TLS that does everything right', async () => {
    for (const direction of DIRECTIONS) {
      const shown = { certificates: [await fresh()] }
      assert.equal((await against(direction, shown)).remotePeer.type, 'Ed25519')
    }
  })

  for (const direction of DIRECTIONS) {
    it(`refuses a peer that is not the expected one, ${direction}`, async () => {
      const [us, them, other] = [await identity(), await identity(), await identity()]
      const [near, far] = await wires.pair()
      const [mine, theirs] = direction === 'outbound' ? [near, far] : [far, near]
      const opposite = direction === 'outbound' ? 'inbound' : 'outbound'
      const answered = secure(them, opposite, theirs).catch((error: unknown) => error)
      const error = await rejectsWith(
        'PROTOCOL_VIOLATION',
        secure(us, direction, mine, 5_000, idOf(other))
      )
      assert.equal(error.details['reason'], 'wrong-peer')
      await answered
      await until('both ends are closed', () => mine.status !== 'open' && theirs.status !== 'open')
    })

    it(`ends a handshake with a silent peer by its signal, ${direction}`, async () => {
      const [wire] = await wires.bare(direction)
      await rejectsWith('TIMEOUT', secure(await identity(), direction, wire, 80))
      assert.equal(wire.status, 'aborted')
      const [again] = await wires.bare(direction)
      const { tls } = await identity()
      const signal = AbortSignal.abort()
      const call = direction === 'inbound' ? tls.secureInbound : tls.secureOutbound
      await rejectsWith('ABORTED', call.call(tls, again, { signal }))
    })

    it(`survives a peer that leaves at once, ${direction}`, async () => {
      const [wire, socket] = await wires.bare(direction)
      const call = secure(await identity(), direction, wire)
      socket.end()
      await rejectsWith('UNREACHABLE', call)
    })

    it(`survives garbage instead of a handshake, ${direction}`, async function () {
      this.timeout(20_000)
      const random = seededRandom(SEED)
      const us = await identity()
      for (let round = 0; round < 60; round += 1) {
        const [wire, socket] = await wires.bare(direction)
        socket.resume()
        socket.write(garbage(random, round))
        if (round % 3 === 0) socket.end()
        await failsWell(secure(us, direction, wire, 150))
        assert.notEqual(wire.status, 'open', `seed ${SEED}`)
        socket.destroy()
      }
    })
  }

  it('survives handshakes that were altered on the way', async function () {
    this.timeout(30_000)
    const random = seededRandom(SEED)
    const [us, them] = [await identity(), await identity()]
    let failures = 0
    for (let round = 0; round < 60; round += 1) {
      const [near, far] = await wires.relayed(flipOne(random, random.below(2_500)))
      const ends = [secure(us, 'outbound', near, 400), secure(them, 'inbound', far, 400)]
      for (const end of await Promise.allSettled(ends)) {
        // a flip behind the handshake hits nothing
        if (end.status === 'rejected') assertFailure(end.reason)
        else assert.ok(isOneOf(end.value.remotePeer, us, them), `seed ${SEED}`)
        if (end.status === 'rejected') failures += 1
      }
      near.abort(new Error('next'))
      far.abort(new Error('next'))
    }
    assert.ok(failures > 0, `seed ${SEED}: nothing was altered`)
  })

  for (const toServer of [true, false]) {
    it(`ends a connection whose ${toServer ? 'server' : 'client'} gets forged bytes`, async () => {
      let inject: (bytes: Uint8Array) => void = () => {}
      const [near, far] = await wires.relayed((bytes, server, send) => {
        if (server === toServer) inject = send
        return bytes
      })
      const [us, them] = [await identity(), await identity()]
      const [a, b] = await Promise.all([secure(us, 'outbound', near), secure(them, 'inbound', far)])
      const got = receive(b.connection, 3)
      const back = receive(a.connection, 3)
      a.connection.send(Uint8Array.of(1, 2, 3))
      b.connection.send(Uint8Array.of(4, 5, 6))
      assert.deepEqual(await got, Uint8Array.of(1, 2, 3))
      assert.deepEqual(await back, Uint8Array.of(4, 5, 6))
      // an application data record that no key has made
      inject(Buffer.from(`1703030040${'5a'.repeat(64)}`, 'hex'))
      const ended = [a.connection, b.connection]
      await until('both ends are closed', () => ended.every(end => end.status !== 'open'))
    })
  }

  it('takes a handshake that came right behind the negotiation', async () => {
    const [wire, socket] = await wires.bare('inbound')
    speakTls(socket, false, { certificates: [await fresh()] })
    await until('libp2p has received it', () => wire.readBufferLength > 0)
    assert.equal((await secure(await identity(), 'inbound', wire)).remotePeer.type, 'Ed25519')
  })

  it('ends a connection whose peer fills it without reading', async () => {
    const [near, far] = await wires.pair()
    const [us, them] = [await identity(), await identity()]
    const [a, b] = await Promise.all([secure(us, 'outbound', near), secure(them, 'inbound', far)])
    b.connection.pause()
    assert.throws(() => {
      for (let n = 0; n < 10_000; n += 1) a.connection.send(new Uint8Array(64 * KIB))
    })
    assert.equal(a.connection.status, 'aborted')
    b.connection.resume()
    await until('the other end is closed', () => far.status !== 'open')
  })
})

/** The far end of a wire, on Node's TLS and nothing of ours. */
function speakTls(socket: Socket, isServer: boolean, shown: Shown): void {
  const { certificates, alpn = ['libp2p'], version = 'TLSv1.3' } = shown
  const [first] = certificates
  const options = {
    ...(first === undefined
      ? {}
      : { cert: certificates.map(({ certPem }) => certPem).join(''), key: first.keyPem }),
    minVersion: version,
    maxVersion: version,
    ...(alpn.length === 0 ? {} : { ALPNProtocols: alpn }),
    rejectUnauthorized: false,
    requestCert: true
  }
  const tls = isServer
    ? new TLSSocket(socket, { ...options, isServer })
    : connect({ ...options, socket })
  tls.on('error', () => {}).resume()
}

async function fresh(shiftMs = 0): Promise<Certificate> {
  return await makeCertificate((await identity()).key, Date.now() + shiftMs)
}

function keyPair(): ReturnType<typeof generateKeyPairSync> {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

/** Random bytes, half of the time behind the header of a TLS handshake record. */
function garbage(random: ReturnType<typeof seededRandom>, round: number): Uint8Array {
  const bytes = random.bytes(1 + random.below(4_000))
  if (round % 2 === 0) return bytes
  const header = Buffer.from([22, 3, 3, 0, 0])
  header.writeUInt16BE(1 + random.below(bytes.length), 3)
  return Buffer.concat([header, bytes])
}

/** One byte changed, `offset` bytes into either direction. */
function flipOne(random: ReturnType<typeof seededRandom>, offset: number): Alter {
  const flipped = random.below(2) === 1
  let seen = 0
  return (bytes, toServer) => {
    if (toServer !== flipped) return bytes
    const at = offset - seen
    seen += bytes.length
    if (at >= 0 && at < bytes.length) bytes[at]! ^= 1 + random.below(255)
    return bytes
  }
}

async function failsWell(call: Promise<unknown>): Promise<void> {
  const error = await call.then(
    () => assert.fail('a handshake with garbage succeeded'),
    (found: unknown) => found
  )
  assertFailure(error)
}

function isOneOf(peer: SecuredConnection['remotePeer'], ...who: Identity[]): boolean {
  return who.some(one => idOf(one).equals(peer))
}

function assertFailure(error: unknown): void {
  const isKnown = HoldfastError.is(error) && FAILURES.includes(error.code)
  assert.ok(isKnown, `seed ${SEED}: ${String(error)}`)
}
