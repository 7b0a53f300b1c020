import assert from 'node:assert/strict'
import { toHex, utf8 } from '../../../src/base/bytes.ts'
import { crc32c } from '../../../src/ledger/consensus/crc32c.ts'
import { encodeFrame, scanFrames } from '../../../src/ledger/consensus/frames.ts'
import { Journal } from '../../../src/ledger/consensus/journal.ts'
import type { AppendFile } from '../../../src/ledger/consensus/ports.ts'
import { encodeRecord, type JournalRecord } from '../../../src/ledger/consensus/signer.ts'
import type { Certificate } from '../../../src/ledger/types/block.ts'
import { BitArray } from '../../../src/ledger/types/ssz.ts'
import { flipped, itRandom } from '../../proofs/random.ts'
import { notarize } from './support.ts'

const frameOf = (sequence: bigint, ...texts: string[]): Uint8Array =>
  encodeFrame(
    sequence,
    texts.map(text => ({ type: 7, payload: utf8(text) }))
  )
const textsIn = (file: Uint8Array): string[] =>
  scanFrames(file).frames.flatMap(({ records }) =>
    records.map(({ payload }) => Buffer.from(payload).toString())
  )
const FRAMES = [frameOf(5n, 'one', 'two'), frameOf(6n), frameOf(7n, 'three')]
const FILE = new Uint8Array(Buffer.concat(FRAMES))
const LAST_START = FILE.length - FRAMES[2]!.length

describe('crc32c', () => {
  it('has the published check values', () => {
    assert.equal(crc32c(utf8('123456789')), 0xe3069283)
    // RFC 3720, appendix B.4
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
    assert.equal(crc32c(new Uint8Array(0)), 0)
  })
})

describe('journal frames', () => {
  it('come back as they were written', () => {
    assert.deepEqual(textsIn(FILE), ['one', 'two', 'three'])
    assert.equal(scanFrames(FILE).length, FILE.length)
    assert.deepEqual(scanFrames(new Uint8Array(0)), { frames: [], length: 0 })
  })

  it('lose a torn tail, wherever it is torn', () => {
    for (let length = LAST_START; length < FILE.length; length++) {
      const { frames, length: kept } = scanFrames(FILE.subarray(0, length))
      assert.deepEqual([frames.length, kept], [2, LAST_START])
      const garbage = new Uint8Array(Buffer.concat([FILE.subarray(0, length), new Uint8Array(30)]))
      assert.equal(scanFrames(garbage).length, LAST_START)
    }
  })

  it('are fatal when any bit before the last one has changed', () => {
    for (let bit = 0; bit < LAST_START * 8; bit++) {
      assert.throws(() => scanFrames(flipped(FILE, bit)), { code: 'JOURNAL_DAMAGED' }, `${bit}`)
    }
    for (let bit = LAST_START * 8; bit < FILE.length * 8; bit++) {
      assert.equal(scanFrames(flipped(FILE, bit)).length, LAST_START)
    }
  })

  it('are fatal when one is missing', () => {
    const holed = new Uint8Array(Buffer.concat([FRAMES[0]!, FRAMES[2]!]))
    assert.throws(() => scanFrames(holed), { code: 'JOURNAL_DAMAGED' })
  })

  itRandom('never take random bytes for frames', random => {
    for (let i = 0; i < 300; i++) {
      assert.equal(scanFrames(random.bytes(random.int(200))).frames.length, 0)
    }
  })
})

/** A file whose unflushed part can be lost, and which can fail. */
class TestFile implements AppendFile {
  bytes: Uint8Array = new Uint8Array(0)
  durable: Uint8Array = new Uint8Array(0)
  flushes = 0
  fails = false

  async read(): Promise<Uint8Array> {
    return this.bytes.slice()
  }
  async truncate(length: number): Promise<void> {
    this.bytes = this.bytes.slice(0, length)
    this.durable = this.bytes
  }
  async append(more: Uint8Array): Promise<void> {
    if (this.fails) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    this.bytes = new Uint8Array(Buffer.concat([this.bytes, more]))
  }
  async flush(): Promise<void> {
    this.flushes++
    this.durable = this.bytes
  }
  async close(): Promise<void> {}
  loseUnflushed(): void {
    this.bytes = this.durable
  }
}

function recordAt(height: bigint, view = 1n): JournalRecord {
  return { kind: notarize, height, view, blockHash: new Uint8Array(32).fill(3), base: 0n }
}

function certAt(height: bigint, view: bigint): Certificate {
  const signers = BitArray.fromBoolArray([true, false])
  const signatures = [new Uint8Array(64).fill(5)]
  return { kind: notarize, height, view, blockHash: new Uint8Array(32), signers, signatures }
}

const BLOCK = utf8('a block of height 9')
const heightOf = (block: Uint8Array): bigint | undefined =>
  toHex(block) === toHex(BLOCK) ? 9n : undefined

describe('Journal', () => {
  let files: [TestFile, TestFile]
  beforeEach(() => {
    files = [new TestFile(), new TestFile()]
  })
  const open = async (rotateBytes?: number) => {
    const journal = new Journal(files, rotateBytes)
    return { journal, records: await journal.open() }
  }

  it('gives back what was flushed of a height, and nothing else', async () => {
    const { journal, records } = await open()
    assert.deepEqual(records, [])
    journal.addSigned(encodeRecord(recordAt(9n)))
    journal.addCert(certAt(9n, 1n))
    journal.addBlock(BLOCK)
    await journal.flush()
    assert.equal(files[0].flushes, 2, 'one to open, one for all three')
    journal.addSigned(encodeRecord(recordAt(9n, 2n)))
    for (const file of files) file.loseUnflushed()

    const again = await open()
    assert.deepEqual(again.records, [recordAt(9n)])
    const { certs, blocks } = again.journal.restored(9n, heightOf)
    assert.deepEqual([certs.length, certs[0]!.view, blocks.map(toHex)], [1, 1n, [toHex(BLOCK)]])
    assert.deepEqual(again.journal.restored(8n, heightOf).certs, [])
    assert.ok(again.journal.hasSigned(encodeRecord(recordAt(9n))))
    assert.ok(!again.journal.hasSigned(encodeRecord(recordAt(9n, 2n))))
    again.journal.forgetBelow(10n)
    assert.deepEqual(again.journal.restored(9n, heightOf), { records: [], certs: [], blocks: [] })
  })

  it('makes durable what it reads before anybody acts on it', async () => {
    const { journal } = await open()
    journal.addCert(certAt(1n, 1n))
    await journal.flush()
    files[0].durable = new Uint8Array(0) // the process died, not the machine: it is in the cache only
    await open()
    assert.deepEqual(files[0].durable, files[0].bytes)
  })

  it('does not write when there is nothing to write', async () => {
    const { journal } = await open()
    await journal.flush()
    assert.equal(files[0].bytes.length, 0)
  })

  it('stays bounded, and remembers what was signed at the highest height', async () => {
    const { journal } = await open(500)
    let longest = 0
    for (let height = 1n; height <= 200n; height++) {
      journal.addSigned(encodeRecord(recordAt(height)))
      journal.addSigned(encodeRecord(recordAt(height, 2n)))
      journal.addCert(certAt(height, 1n))
      await journal.flush()
      await journal.rotate()
      longest = Math.max(longest, files[0].bytes.length + files[1].bytes.length)
    }
    assert.ok(longest < 1_500, `${longest} bytes`)
    const { records, journal: again } = await open(500)
    assert.equal(again.signedHeight, 200n)
    const newest = records.filter(({ height }) => height === 200n)
    assert.deepEqual(
      newest.map(({ view }) => Number(view)).sort((a, b) => a - b),
      [1, 2]
    )
  })

  it('survives a cut at every step of changing files', async () => {
    for (const step of ['append', 'flush', 'truncate'] as const) {
      files = [new TestFile(), new TestFile()]
      const { journal } = await open(1)
      journal.addSigned(encodeRecord(recordAt(4n)))
      await journal.flush()
      const hit = step === 'truncate' ? files[0] : files[1]
      hit[step] = () => Promise.reject(new Error('power cut'))
      await assert.rejects(journal.rotate(), { code: 'STORE_READ_ONLY' })
      for (const file of files) {
        const { append, flush, truncate } = TestFile.prototype
        Object.assign(file, { append, flush, truncate })
        file.loseUnflushed()
      }
      const again = await open(1)
      assert.deepEqual(again.records, [recordAt(4n)], step)
      again.journal.addSigned(encodeRecord(recordAt(5n)))
      await again.journal.flush()
      assert.equal((await open(1)).records.at(-1)!.height, 5n)
    }
  })

  it('says so when the disk fails or the file is damaged', async () => {
    const { journal } = await open()
    files[0].fails = true
    journal.addCert(certAt(1n, 1n))
    await assert.rejects(journal.flush(), { code: 'STORE_READ_ONLY' })
    files[0].bytes = flipped(FILE, 300)
    await assert.rejects(open(), { code: 'JOURNAL_DAMAGED' })
  })
})
