/**
 * Golden bytes of logs and index, and that no single flipped bit passes for what was written. A change here makes
 * stores unreadable: it is a decision, made with HOLDFAST_UPDATE_VECTORS=1 and new format versions, not a repair.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '../../../src/base/bytes.ts'
import {
  decodeEntry,
  decodeLogState,
  decodeMeta,
  type Entry,
  emptyLog,
  encodeEntry,
  encodeLogState,
  encodeMeta,
  logKey,
  pieceKey
} from '../../../src/storage/piece-log/catalog-format.ts'
import {
  checkLogHeader,
  decodeHead,
  decodeNote,
  decodeTrailer,
  decodeTrailerBody,
  encodeHead,
  encodeLogHeader,
  encodeNote,
  encodeTrailer,
  HEAD_BYTES,
  type Note,
  nameOfLog,
  parseLogName,
  recordBytesOf,
  storeIdentity,
  TICK_MAX
} from '../../../src/storage/piece-log/log-format.ts'

const FILE = join(import.meta.dirname, '..', '..', 'vectors', 'piece-log.json')
const IDENTITY = storeIdentity(counting(32, 1))
const NAME = { id: 0x2a, endTick: 120_960 }
const MARK = IDENTITY.markOf(NAME.id)
const FACTS = {
  ...{ root: counting(32, 9), bytes: 20_000, offset: 64, seq: 2 ** 33 + 5 },
  ...{ leaseEnd: 120_000, purgeAt: 17 }
}
const CHECKSUMS = counting(8, 3)
const OUTBOARD = counting(64, 5)
const NOTE: Note = { kind: 'keep', root: counting(32, 9), seq: 77, value: 130_000, about: 0x29 }
const ENTRY: Entry = {
  ...{ log: 0x2a, offset: 64, bytes: 20_000, recordBytes: 20_188 },
  ...{ seq: 2 ** 33 + 5, leaseEnd: 120_000, purgeAt: 17 }
}
const STATE = {
  ...emptyLog(0x2a, 120_960, 1),
  ...{ tail: 90_000, livePieces: 3, liveBytes: 60_000, liveRecordBytes: 60_564 },
  ...{ trashPieces: 1, trashBytes: 9_000, trashRecordBytes: 9_200, noteBytes: 192 },
  ...{ purgeAt: 17, isEmptying: true }
}
const META = { version: 2, storeId: IDENTITY.storeId, nextSeq: 99, nextLog: 43, tick: 5 }

function counting(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (first + i) % 251)
}

describe('bytes of a piece log', () => {
  it('are as ever', async () => {
    const computed = {
      name: nameOfLog(NAME),
      header: toHex(encodeLogHeader(IDENTITY.storeId, NAME)),
      head: toHex(encodeHead({ kind: 'piece', bytes: FACTS.bytes }, MARK, FACTS.offset)),
      trailer: toHex(encodeTrailer(FACTS, MARK, CHECKSUMS, OUTBOARD)),
      note: toHex(encodeNote(NOTE, MARK, 20_252)),
      pieceKey: toHex(pieceKey(FACTS.root)),
      entry: toHex(encodeEntry(ENTRY)),
      liveEntry: toHex(encodeEntry({ ...ENTRY, purgeAt: 0 })),
      logKey: toHex(logKey(NAME.id)),
      logState: toHex(encodeLogState(STATE)),
      meta: toHex(encodeMeta(META))
    }
    if (process.env['HOLDFAST_UPDATE_VECTORS'] === '1') {
      await writeFile(FILE, `${JSON.stringify(computed, null, 2)}\n`)
    }
    assert.deepEqual(computed, JSON.parse(await readFile(FILE, 'utf8')))
  })

  it('say what was written', () => {
    assert.deepEqual(parseLogName(nameOfLog(NAME)), NAME)
    const header = encodeLogHeader(IDENTITY.storeId, NAME)
    assert.equal(checkLogHeader(header, IDENTITY.storeId, NAME.id), 'ours')
    assert.equal(checkLogHeader(header, IDENTITY.storeId, 43), 'foreign')
    assert.equal(checkLogHeader(header, storeIdentity(counting(32, 2)).storeId, 42), 'foreign')
    const trailer = encodeTrailer(FACTS, MARK, CHECKSUMS, OUTBOARD)
    const at = FACTS.offset + HEAD_BYTES + FACTS.bytes
    assert.deepEqual(decodeTrailer(trailer, MARK, at), { ...FACTS, outboardBytes: 64 })
    const body = decodeTrailerBody(trailer, FACTS.bytes)
    assert.deepEqual(body, { checksums: CHECKSUMS, outboard: OUTBOARD })
    assert.equal(HEAD_BYTES + FACTS.bytes + trailer.length, recordBytesOf(FACTS.bytes, 64))
    assert.deepEqual(decodeNote(encodeNote(NOTE, MARK, 5)), NOTE)
    assert.deepEqual(decodeEntry(encodeEntry(ENTRY)), ENTRY)
    assert.deepEqual(decodeLogState(logKey(NAME.id), encodeLogState(STATE)), STATE)
    assert.deepEqual(decodeMeta(encodeMeta(META)), META)
  })

  it('pass for nothing with one bit flipped, at another place or in another log', () => {
    const head = encodeHead({ kind: 'piece', bytes: FACTS.bytes }, MARK, FACTS.offset)
    const trailer = encodeTrailer(FACTS, MARK, CHECKSUMS, OUTBOARD)
    const note = encodeNote(NOTE, MARK, 5)
    const at = FACTS.offset + HEAD_BYTES + FACTS.bytes
    const header = encodeLogHeader(IDENTITY.storeId, NAME)
    for (const [bytes, isAccepted] of [
      [header, from => checkLogHeader(from, IDENTITY.storeId, NAME.id) !== 'unreadable'],
      [head, from => decodeHead(from, MARK, FACTS.offset) !== undefined],
      [
        trailer,
        from =>
          decodeTrailer(from, MARK, at) !== undefined &&
          decodeTrailerBody(from, 20_000) !== undefined
      ],
      [note, from => decodeHead(from, MARK, 5) !== undefined && decodeNote(from) !== undefined]
    ] satisfies [Buffer, (from: Buffer) => boolean][]) {
      assert.ok(isAccepted(bytes))
      for (let bit = 0; bit < 8 * bytes.length; bit++) {
        const flipped = Buffer.from(bytes)
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        assert.ok(!isAccepted(flipped), `bit ${bit}`)
      }
      for (let length = 0; length < bytes.length; length++) {
        assert.ok(!isAccepted(bytes.subarray(0, length)), `${length} bytes`)
      }
    }
    assert.equal(decodeHead(head, MARK, 65), undefined)
    assert.equal(decodeHead(head, IDENTITY.markOf(43), FACTS.offset), undefined)
    assert.equal(decodeTrailer(trailer, MARK, at + 1), undefined)
    assert.equal(decodeTrailer(trailer, IDENTITY.markOf(43), at), undefined)
    const other = encodeNote({ ...NOTE, seq: 78 }, MARK, 105)
    const mixed = Buffer.concat([note.subarray(0, HEAD_BYTES), other.subarray(HEAD_BYTES)])
    assert.equal(decodeNote(mixed), undefined, 'halves of two notes')
  })

  it('have names of one form', () => {
    for (const name of [
      ...['0000002a-1.log.bak', '2a-1.log', '0000002A-1.log', '0000002a-01.log', 'lost+found'],
      ...['0000002a-1', `0000002a-${TICK_MAX + 1}.log`, '0000002a--1.log', '']
    ]) {
      assert.equal(parseLogName(name), undefined, name)
    }
    const last = { id: 0xffffffff, endTick: TICK_MAX }
    assert.deepEqual(parseLogName(nameOfLog(last)), last)
  })
})
