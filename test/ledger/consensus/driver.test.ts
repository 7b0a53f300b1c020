import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { SigningKey } from '../../../src/base/keys.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { beaconKeyFromSecret } from '../../../src/ledger/beacon.ts'
import { encodeBlock } from '../../../src/ledger/block.ts'
import { signVote, verifyCertificate } from '../../../src/ledger/certificate.ts'
import { createDriver } from '../../../src/ledger/consensus/driver.ts'
import type { ConsensusDriver, DriverInit } from '../../../src/ledger/consensus/driver-types.ts'
import { LastCommit } from '../../../src/ledger/consensus/last-commit.ts'
import { LATE_ANSWERS_MAX } from '../../../src/ledger/consensus/late-answers.ts'
import type { AppendFile } from '../../../src/ledger/consensus/ports.ts'
import type { Message, SignedVote } from '../../../src/ledger/consensus/types.ts'
import { realVerifier, voteOf } from '../../../src/ledger/consensus/verifier.ts'
import { decodeMessage, encodeMessage } from '../../../src/ledger/consensus/wire.ts'
import { Mempool } from '../../../src/ledger/mempool.ts'
import { BitArray } from '../../../src/ledger/types/ssz.ts'
import {
  certify,
  newFolder,
  nextBlock,
  type OpenReplica,
  openReplica,
  txOf
} from '../replica-support.ts'
import { memoryFile, startSolo } from '../solo-validator.ts'
import { beaconSecretOf, keyOf, testGenesis } from '../support.ts'
import { finalize, notarize } from './support.ts'

const alice = keyOf('alice')
const NAMES = ['v0', 'v1', 'v2', 'v3']
const GENESIS_MS = 1_700_000_000_000
const PAYMENT = { kind: 'transfer' as const, payload: { to: alice.publicKey, amountUnits: 1n } }

describe('consensus driver', () => {
  const folder = newFolder()
  let number = 0
  let opened: OpenReplica[] = []
  afterEach(async () => {
    for (const one of opened) await one.close()
    opened = []
  })
  after(() => folder.remove())

  async function open(names: readonly string[]): Promise<OpenReplica> {
    const powers = Object.fromEntries(names.map(name => [name, 1n]))
    const one = await openReplica(
      `${folder.path}/${number++}`,
      testGenesis({ alice: 1_000n }, {}, powers)
    )
    opened.push(one)
    return one
  }

  describe('of a validator alone', () => {
    async function solo(
      files: [CountingFile, CountingFile] = [new CountingFile(), new CountingFile()]
    ) {
      const { replica } = await open(['v0'])
      const mempool = new Mempool(replica)
      const validator = await startSolo({
        replica,
        mempool,
        validatorKey: keyOf('vote/v0'),
        beaconKey: beaconKeyFromSecret(beaconSecretOf('v0')),
        files
      })
      return { replica, mempool, validator, files }
    }

    it('finalizes what waits, over the height of a reveal, in blocks that any replica takes', async () => {
      const { replica, mempool, validator } = await solo()
      const other = await open(['v0'])
      mempool.add(txOf(replica, alice, PAYMENT))
      for (let height = 1; height <= 11; height++) {
        const { block, cert } = await validator.next(GENESIS_MS + height * 5_000)
        assert.equal(block.txs.length, height === 1 ? 1 : 0)
        await other.replica.applyFinalized(block, cert)
      }
      assert.deepEqual(other.replica.head(), replica.head())
      await validator.stop()
    })

    it('flushes its journal once per block', async () => {
      const { validator, files } = await solo()
      await validator.next(GENESIS_MS)
      const before = files[0].flushes + files[1].flushes
      for (let i = 0; i < 10; i++) await validator.next(GENESIS_MS)
      assert.equal(files[0].flushes + files[1].flushes - before, 10)
      await validator.stop()
    })

    it('goes on when its clock is set back, each block later than the one below', async () => {
      const { replica, validator } = await solo()
      await validator.next(GENESIS_MS + 60_000)
      await validator.next(GENESIS_MS - 60_000)
      assert.equal(replica.head().timeMs, GENESIS_MS + 60_001)
      await validator.stop()
    })

    it('goes on after a restart', async () => {
      const files: [CountingFile, CountingFile] = [new CountingFile(), new CountingFile()]
      const { replica, mempool, validator } = await solo(files)
      await validator.next(GENESIS_MS)
      await validator.stop()
      const again = await startSolo({
        replica,
        mempool,
        validatorKey: keyOf('vote/v0'),
        beaconKey: beaconKeyFromSecret(beaconSecretOf('v0')),
        files
      })
      await again.next(GENESIS_MS + 5_000)
      assert.equal(replica.height, 2n)
      await again.stop()
    })

    it('refuses a beacon key that is not that of the set', async () => {
      const { replica } = await open(['v0'])
      const start = startSolo({
        replica,
        mempool: new Mempool(replica),
        validatorKey: keyOf('vote/v0'),
        beaconKey: beaconKeyFromSecret(beaconSecretOf('v1'))
      })
      await assert.rejects(start, { code: 'CONFIG_INVALID' })
    })
  })

  describe('of one of four', () => {
    /** The leader of view 1 at height 1, or the validator after it. */
    async function member(who: 'leader' | 'other', changes: Partial<DriverInit> = {}) {
      const { replica } = await open(NAMES)
      const leader = replica.leader(1n)
      const index = who === 'leader' ? leader : (leader + 1) % NAMES.length
      const bench = new Bench()
      const driver = createDriver({
        replica,
        mempool: new Mempool(replica),
        validatorKey: keyOf(`vote/${NAMES[index]!}`),
        beaconKey: beaconKeyFromSecret(beaconSecretOf(NAMES[index]!)),
        files: [memoryFile(), memoryFile()],
        logger: silentLogger,
        ...bench.ports,
        ...changes
      })
      bench.driver = driver
      await driver.start()
      await bench.fire()
      return { replica, driver, bench, index }
    }

    it('lets nothing out before the flush, and all of it after', async () => {
      const file = new CountingFile()
      const { promise, resolve } = Promise.withResolvers<void>()
      let isHeld = false
      file.flush = () => (isHeld ? promise : Promise.resolve())
      const files = [file, memoryFile()] as const
      const { replica } = await open(NAMES)
      const name = NAMES[replica.leader(1n)]!
      const bench = new Bench()
      const driver = createDriver({
        replica,
        mempool: new Mempool(replica),
        validatorKey: keyOf(`vote/${name}`),
        beaconKey: beaconKeyFromSecret(beaconSecretOf(name)),
        files,
        logger: silentLogger,
        ...bench.ports
      })
      await driver.start()
      isHeld = true
      await bench.fire()
      assert.ok((await file.read()).length > 0, 'proposal, block and vote are written')
      assert.equal(bench.sent.length, 0)
      resolve()
      await settle()
      assert.deepEqual(bench.sent.map(({ message }) => message.type).sort(), ['proposal', 'vote'])
      await driver.stop()
    })

    it('stops voting when its disk fails, and still answers for final heights', async () => {
      const file = new CountingFile()
      const { replica, driver, bench } = await member('leader', { files: [file, memoryFile()] })
      const { block, cert } = nextBlock(replica, NAMES)
      await replica.applyFinalized(block, cert)
      await settle()
      bench.forget()
      file.append = () => Promise.reject(new Error('input/output error'))
      file.flush = () => Promise.reject(new Error('input/output error'))
      await bench.fire()
      for (let i = 0; i < 5 && driver.state.kind !== 'read-only'; i++) await bench.fire()
      const { state } = driver
      assert.ok(state.kind === 'read-only' && state.error.code === 'STORE_READ_ONLY', state.kind)
      assert.equal(bench.sent.length, 0, 'what could not be written was not said')
      await bench.hear('v9', { type: 'vote', vote: voteAt(replica, 1n, 0) })
      assert.equal(bench.sent[0]?.message.type, 'have')
      await driver.stop()
    })

    it('answers who is at an older height with its finalization and block, within limits', async () => {
      const { replica, driver, bench } = await member('other')
      const heights = LATE_ANSWERS_MAX + 3
      for (let i = 0; i < heights; i++) {
        const { block, cert } = nextBlock(replica, NAMES)
        await replica.applyFinalized(block, cert)
      }
      await settle()
      bench.forget()
      await bench.hear('v9', { type: 'vote', vote: voteAt(replica, 2n, 0) })
      const [answer] = bench.sent
      assert.ok(answer?.to === 'v9' && answer.message.type === 'have')
      const { have } = answer.message
      assert.deepEqual([have.blocks.length, have.certs[0]!.height], [0, 2n])
      await bench.hear('v9', { type: 'vote', vote: voteAt(replica, 2n, 1) })
      await bench.hear('v8', { type: 'have', have: { ...have, blocks: [] } })
      assert.equal(bench.sent.length, 1, 'not twice, and not what somebody tells')
      const lacking = BitArray.fromBoolArray([])
      await bench.hear('v9', { type: 'need', need: { height: 2n, view: 1n, lacking, blocks: [] } })
      const asked = bench.sent[1]?.message
      assert.ok(asked?.type === 'have')
      assert.deepEqual(asked.have.blocks, [encodeBlock(replica.block(2n)!)])
      for (let height = 1n; height <= BigInt(heights); height++) {
        await bench.hear('v9', { type: 'vote', vote: voteAt(replica, height, 0) })
      }
      assert.equal(bench.sent.length, LATE_ANSWERS_MAX)
      await driver.stop()
    })

    it('goes on from the head, whoever moved it, and takes early votes along', async () => {
      const behind: bigint[] = []
      const { replica, driver, bench } = await member('other', {
        onBehind: height => behind.push(height)
      })
      assert.deepEqual(driver.position, { height: 1n, view: 1n })
      await bench.hear('v9', { type: 'vote', vote: voteAt(replica, 2n, 0) })
      assert.deepEqual(behind, [2n])
      const { block, cert } = nextBlock(replica, NAMES)
      await replica.applyFinalized(block, cert)
      await settle()
      assert.deepEqual(driver.position, { height: 2n, view: 0n })
      assert.equal(driver.state.kind, 'waiting')
      await bench.fire()
      assert.deepEqual(driver.position, { height: 2n, view: 1n })
      assert.equal(driver.state.kind, 'voting')
      await driver.stop()
      assert.equal(driver.state.kind, 'stopped')
    })

    it('adds late votes to the certificate that its block carries', async () => {
      const { replica } = await open(NAMES)
      const { block } = nextBlock(replica, NAMES)
      const last = new LastCommit(replica, realVerifier(replica.network))
      await replica.applyFinalized(block, certify(replica, NAMES, block.header, [0, 1, 2]))
      const { blockHash } = replica.certificate(1n)!
      const late = (validator: number, changes: Partial<SignedVote> = {}): SignedVote => {
        const vote = { kind: finalize, height: 1n, view: 1n, blockHash, ...changes }
        const signature = signVote(keyOf(`vote/${NAMES[validator]}`), voteOf(replica.network, vote))
        return { ...vote, validator, signature }
      }
      last.add(late(3, { view: 2n }))
      last.add(late(3, { kind: notarize }))
      last.add(late(3, { blockHash: new Uint8Array(32) }))
      last.add({ ...late(3), signature: new Uint8Array(64) })
      last.add(late(1))
      last.add({ ...late(3), validator: 9 })
      assert.equal(last.certificate().signatures.length, 3)
      last.add(late(3))
      last.add(late(3))
      const cert = last.certificate()
      assert.equal(cert.signatures.length, 4)
      verifyCertificate(cert, replica.validators(), replica.network, { kind: finalize, height: 1n })
      const next = nextBlock(replica, NAMES, [], { lastCert: cert })
      await replica.applyFinalized(next.block, next.cert)
      assert.equal(last.certificate().height, 2n)
    })

    it('keeps silent at a height where its key has voted elsewhere', async () => {
      const { replica, driver, bench, index } = await member('other')
      const name = NAMES[index]!
      await bench.hear('v9', {
        type: 'vote',
        vote: voteAt(replica, 1n, index, keyOf(`vote/${name}`))
      })
      bench.forget()
      for (let i = 0; i < 5; i++) await bench.fire()
      const votes = bench.sent.filter(({ message }) => message.type === 'vote')
      assert.deepEqual(votes, [])
      await driver.stop()
    })

    it('names who sends what is no message', async () => {
      const { driver, bench } = await member('other')
      bench.handler('v9', new Uint8Array([9, 9, 9]))
      await settle()
      assert.deepEqual(bench.punished, ['v9'])
      await driver.stop()
    })
  })
})

class CountingFile implements AppendFile {
  readonly #file = memoryFile()
  flushes = 0
  read(): Promise<Uint8Array> {
    return this.#file.read()
  }
  truncate(length: number): Promise<void> {
    return this.#file.truncate(length)
  }
  append(bytes: Uint8Array): Promise<void> {
    return this.#file.append(bytes)
  }
  flush(): Promise<void> {
    this.flushes++
    return this.#file.flush()
  }
  close(): Promise<void> {
    return this.#file.close()
  }
}

/** Timers that fire when they are told to, and a network that remembers. */
class Bench {
  sent: { to: string; message: Message }[] = []
  readonly punished: string[] = []
  handler: (from: string, bytes: Uint8Array) => void = () => {}
  driver: ConsensusDriver | undefined
  readonly #timers = new Map<() => void, number>()

  get ports(): Pick<DriverInit, 'clock' | 'random' | 'net'> {
    const put = (to: string, bytes: Uint8Array): void => {
      this.sent.push({ to, message: decodeMessage(bytes) })
    }
    return {
      clock: {
        nowMs: () => GENESIS_MS + 5_000,
        setTimer: (afterMs, fire) => {
          this.#timers.set(fire, afterMs)
          return () => this.#timers.delete(fire)
        }
      },
      random: { below: () => 0 },
      net: {
        broadcast: bytes => put('validators', bytes),
        send: put,
        peers: () => ['v8', 'v9'],
        onMessage: handler => {
          this.handler = handler
        },
        punish: peer => this.punished.push(peer)
      }
    }
  }

  forget(): void {
    this.sent = []
  }

  /** The shortest timer. */
  async fire(): Promise<void> {
    await settle()
    const [next] = [...this.#timers].sort(([, a], [, b]) => a - b)
    if (next !== undefined) {
      this.#timers.delete(next[0])
      next[0]()
    }
    await settle()
  }

  async hear(from: string, message: Message): Promise<void> {
    this.handler(from, encodeMessage(message))
    await settle()
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await setImmediate()
}

function voteAt(
  { network }: OpenReplica['replica'],
  height: bigint,
  validator: number,
  key: SigningKey = keyOf(`vote/${NAMES[validator]!}`)
): SignedVote {
  const vote = { kind: notarize, height, view: 1n, blockHash: new Uint8Array(32).fill(8) }
  return { ...vote, validator, signature: signVote(key, voteOf(network, vote)) }
}
