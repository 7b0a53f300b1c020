/** Ten thousand light blocks and proofs with one thing wrong: none is believed. */
import assert from 'node:assert/strict'
import { equal } from '../../src/base/bytes.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { blockHashOf } from '../../src/ledger/block.ts'
import { verifyRecord } from '../../src/ledger/light/record.ts'
import {
  decodeLightBlock,
  encodeLightBlock,
  type LightBlock
} from '../../src/ledger/light/types.ts'
import { verifyStep } from '../../src/ledger/light/verify.ts'
import { BitArray } from '../../src/ledger/types/ssz.ts'
import { flipped, itRandom, type TestRandom } from '../proofs/random.ts'
import { BLOCK_MS, LightChain, RECORDS, START_MS } from './light-support.ts'

const NAMES = ['a', 'b', 'c', 'd']
const HEIGHTS = 8n
const HEADERS = 4_000
const CERTIFICATES = 3_000
const PROOFS = 3_000
const rules = {
  nowMs: START_MS + (HEIGHTS + 1n) * BLOCK_MS,
  trustingPeriodMs: 1_000_000n,
  clockDriftMs: 0n
}

/** Bits flipped, cut, grown, or a part put elsewhere. */
function mutatedBytes(bytes: Uint8Array, random: TestRandom): Uint8Array {
  const at = random.int(bytes.length)
  const kinds: (() => Uint8Array)[] = [
    () => flipped(bytes, random.int(bytes.length * 8)),
    () => flipped(flipped(bytes, random.int(bytes.length * 8)), random.int(bytes.length * 8)),
    () => bytes.subarray(0, at),
    () => new Uint8Array([...bytes, ...random.bytes(1 + random.int(64))]),
    () => {
      const out = Uint8Array.from(bytes)
      out.copyWithin(random.int(bytes.length), at, Math.min(bytes.length, at + 32))
      return out
    },
    () => {
      const out = Uint8Array.from(bytes)
      out.set(random.bytes(Math.min(8, bytes.length - at)), at)
      return out
    }
  ]
  return kinds[random.int(kinds.length)]!()
}

describe('a light client believes nothing that was changed', () => {
  const chain = new LightChain({ names: () => NAMES, heights: HEIGHTS })

  /** Runs it, and says whether it was believed. Only errors for operators may come out. */
  function believed(check: () => unknown): boolean {
    try {
      return check() !== 'too-far'
    } catch (error) {
      if (!HoldfastError.is(error)) throw error
      return false
    }
  }

  /** A block with one change, other than the block it was made of. */
  function different(make: () => LightBlock, good: LightBlock): LightBlock | undefined {
    const block = make()
    const same = equal(encodeLightBlock(block), encodeLightBlock(good))
    return same ? undefined : block
  }

  function mutatedHeader(good: LightBlock, random: TestRandom): LightBlock | undefined {
    const { header } = good
    const number = BigInt(random.int(2 ** 31))
    const names = Object.keys(header) as (keyof typeof header)[]
    const name = names[random.int(names.length)]!
    const value = header[name]
    const other =
      typeof value === 'bigint'
        ? number
        : typeof value === 'number'
          ? Number(number)
          : typeof value === 'string'
            ? `${value}x`
            : value.length === 0
              ? random.bytes(96)
              : flipped(value, random.int(value.length * 8))
    const changed = { ...header, [name]: other }
    // a forger makes the certificate fit; all that is left to tell are the signatures
    const fits = random.int(2) === 0
    const cert = fits
      ? { ...good.cert, height: changed.height, blockHash: blockHashOf(changed) }
      : good.cert
    return different(() => ({ ...good, header: changed, cert }), good)
  }

  function mutatedCert(good: LightBlock, random: TestRandom): LightBlock | undefined {
    const { cert } = good
    const at = random.int(NAMES.length)
    const from = chain.at(BigInt(1 + random.int(Number(HEIGHTS)))).cert
    const bits = NAMES.map((_, i) => cert.signers.get(i))
    const kinds: (() => typeof cert)[] = [
      () => from,
      () => ({ ...cert, signatures: from.signatures }),
      () => ({ ...cert, view: BigInt(random.int(1000)) }),
      () => ({ ...cert, kind: random.int(256) }),
      () => ({ ...cert, blockHash: flipped(cert.blockHash, random.int(256)) }),
      () => ({ ...cert, signers: BitArray.fromBoolArray(bits.toSpliced(at, 1)) }),
      () => ({ ...cert, signers: BitArray.fromBoolArray(bits.toSpliced(at, 1, false)) }),
      () => ({ ...cert, signers: BitArray.fromBoolArray([...bits, true]) }),
      () => ({ ...cert, signatures: cert.signatures.toSpliced(at, 1) }),
      () => ({
        ...cert,
        signatures: cert.signatures.toSpliced(at, 1, flipped(cert.signatures[at]!, random.int(512)))
      }),
      () => ({ ...cert, signatures: cert.signatures.toSpliced(at, 1, random.bytes(64)) })
    ]
    const made = kinds[random.int(kinds.length)]!()
    return different(() => ({ ...good, cert: made }), good)
  }

  function count(total: number, attempt: () => boolean | undefined): void {
    let tried = 0
    while (tried < total) {
      const accepted = attempt()
      if (accepted === undefined) continue
      assert.ok(!accepted, `attempt ${tried}`)
      tried++
    }
  }

  const someBlock = (random: TestRandom): LightBlock =>
    chain.at(BigInt(1 + random.int(Number(HEIGHTS))))

  itRandom(`${HEADERS} headers and light blocks`, random => {
    count(HEADERS, () => {
      const good = someBlock(random)
      if (random.int(2) === 0) {
        const block = mutatedHeader(good, random)
        return block && believed(() => verifyStep(chain.genesis, block, rules))
      }
      const bytes = encodeLightBlock(good)
      const bad = mutatedBytes(bytes, random)
      if (equal(bytes, bad)) return undefined
      return believed(() => verifyStep(chain.genesis, decodeLightBlock(bad), rules))
    })
  })

  itRandom(`${CERTIFICATES} certificates`, random => {
    count(CERTIFICATES, () => {
      const good = someBlock(random)
      const block = mutatedCert(good, random)
      return block && believed(() => verifyStep(chain.genesis, block, rules))
    })
  })

  itRandom(`${PROOFS} proofs of records`, random => {
    const { header } = chain.at(HEIGHTS)
    count(PROOFS, () => {
      const present = random.int(4) > 0
      const record = chain.record(
        present ? RECORDS[random.int(RECORDS.length)]!.key : random.bytes(32)
      )
      const { proof, value } = record
      const at = random.int(proof.siblings.length)
      const { siblings, leaf } = proof
      const kinds: (() => typeof record)[] = [
        () => ({ ...record, key: flipped(record.key, random.int(256)) }),
        () => ({ ...record, table: ['totals', 'deals', 'x'][random.int(3)]! }),
        () => ({ ...record, value: random.bytes(32) }),
        () => ({
          ...record,
          value: value === undefined ? new Uint8Array(0) : flipped(value, random.int(256))
        }),
        () => ({ ...record, proof: { ...proof, siblings: siblings.toSpliced(at, 1) } }),
        () => ({
          ...record,
          proof: { ...proof, siblings: siblings.toSpliced(at, 0, random.bytes(32)) }
        }),
        () => ({
          ...record,
          proof: {
            ...proof,
            siblings: siblings.toSpliced(at, 1, flipped(siblings[at]!, random.int(256)))
          }
        }),
        () => ({
          ...record,
          proof: {
            siblings,
            ...(leaf ? {} : { leaf: { key: random.bytes(32), valueHash: random.bytes(32) } })
          }
        }),
        () => ({
          table: record.table,
          key: record.key,
          proof,
          ...(value ? {} : { value: random.bytes(32) })
        })
      ]
      const bad = kinds[random.int(kinds.length)]!()
      // absence of a neighbour is a true statement where the path ends the same
      if (bad.key !== record.key && bad.value === undefined) return undefined
      if (bad.table !== record.table && bad.value === undefined) return undefined
      return believed(() => verifyRecord(header, bad))
    })
    assert.ok(believed(() => verifyRecord(header, chain.record(RECORDS[0]!.key))))
  })

  it('believes what was not changed', () => {
    const good = chain.at(3n)
    assert.ok(believed(() => verifyStep(chain.genesis, good, rules)))
  })
})
