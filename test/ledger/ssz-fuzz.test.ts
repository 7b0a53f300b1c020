/**
 * Every SSZ type of the ledger, found by loading every module: random values survive their encoding, and damaged
 * bytes are refused with a typed error or are the canonical encoding of something.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import {
  BasicType,
  BitListType,
  ByteListType,
  ByteVectorType,
  ContainerType,
  ListCompositeType,
  Type,
  UintBigintType,
  UintNumberType
} from '@chainsafe/ssz'
import { equal, toHex } from '../../src/base/bytes.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { asciiList, BitArray, decodeStrict } from '../../src/ledger/types/ssz.ts'
import { flipped, itRandom, type TestRandom } from '../proofs/random.ts'

/** Raise it for a long run: HOLDFAST_TEST_OPS=1000. Values per type. */
const ROUNDS = Number(process.env['HOLDFAST_TEST_OPS'] ?? 12)
const ROOT = fileURLToPath(new URL('../../src/ledger/', import.meta.url))
const FILES = globSync('**/*.ts', { cwd: ROOT }).sort()
/** Lists are filled to their limit only where that is less than this. */
const FULL_BYTES_MAX = 20_000

const AsciiType = asciiList(1).constructor as new (limit: number) => ByteListType

type AnyType = Type<unknown>

/** The types inside a type. */
function partsOf(type: AnyType): AnyType[] {
  if (type instanceof ContainerType) return Object.values(type.fields as Record<string, AnyType>)
  return type instanceof ListCompositeType ? [type.elementType as AnyType] : []
}

function withParts(type: AnyType, into: Set<AnyType>): void {
  if (into.has(type)) return
  into.add(type)
  for (const part of partsOf(type)) withParts(part, into)
}

function randomValue(type: AnyType, random: TestRandom): unknown {
  if (type instanceof UintBigintType) return randomUint(type.byteLength, random)
  if (type instanceof UintNumberType) return Number(randomUint(type.byteLength, random))
  if (type instanceof ByteVectorType) return random.bytes(type.lengthBytes)
  if (type instanceof AsciiType) return randomText(type.limitBytes, random)
  if (type instanceof ByteListType) {
    return random.bytes(random.int(Math.min(type.limitBytes, 300) + 1))
  }
  if (type instanceof BitListType) {
    const bits = random.int(type.limitBits + 1)
    return BitArray.fromBoolArray(Array.from({ length: bits }, () => random.int(2) === 1))
  }
  if (type instanceof ListCompositeType) {
    const element = type.elementType as AnyType
    const { limit } = type
    const fits = limit * element.maxSize <= FULL_BYTES_MAX
    const length = fits && random.int(4) === 0 ? limit : random.int(Math.min(limit, 4) + 1)
    return Array.from({ length }, () => randomValue(element, random))
  }
  assert.ok(type instanceof ContainerType, `no values of ${type.typeName}`)
  const fields = Object.entries(type.fields as Record<string, AnyType>)
  return Object.fromEntries(fields.map(([name, field]) => [name, randomValue(field, random)]))
}

/** The ends of the range more often than chance would have it. */
function randomUint(byteLength: number, random: TestRandom): bigint {
  const max = 2n ** BigInt(8 * byteLength) - 1n
  const value = BigInt(`0x${toHex(random.bytes(byteLength))}`)
  return [0n, 1n, max, value, value, value][random.int(6)]!
}

function randomText(limit: number, random: TestRandom): string {
  return Buffer.from(random.bytes(random.int(limit + 1))).toString('latin1')
}

function damaged(bytes: Uint8Array, random: TestRandom): Uint8Array[] {
  const at = random.int(bytes.length + 1)
  const offset = Uint8Array.from(bytes)
  const place = Math.max(0, random.int(Math.max(1, bytes.length - 3)))
  offset.set(random.bytes(Math.min(4, bytes.length)).subarray(0, bytes.length - place), place)
  const small = Uint8Array.from(bytes)
  if (small.length > 0) small[random.int(small.length)] = random.int(4)
  return [
    ...(bytes.length > 0 ? [flipped(bytes, random.int(bytes.length * 8))] : []),
    bytes.subarray(0, at),
    Buffer.concat([bytes, random.bytes(1 + random.int(40))]),
    Buffer.concat([bytes.subarray(0, at), random.bytes(random.int(40)), bytes.subarray(at)]),
    Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.int(bytes.length + 1))]),
    offset,
    small,
    random.bytes(random.int(bytes.length + 50))
  ]
}

describe('every SSZ type of the ledger', function () {
  this.timeout(60_000 + 1_000 * ROUNDS)

  const types = new Map<string, AnyType>()
  const all = new Set<AnyType>()

  before(async () => {
    for (const file of FILES) {
      const module = (await import(`${ROOT}${file}`)) as Record<string, unknown>
      for (const [name, value] of Object.entries(module)) {
        if (!(value instanceof Type)) continue
        types.set(`${file} ${name}`, value)
        withParts(value, all)
      }
    }
  })

  it('is reached: each container that the source names', () => {
    const reached = new Set([...all].map(type => type.typeName))
    const missing: string[] = []
    let found = 0
    for (const file of FILES) {
      const source = readFileSync(`${ROOT}${file}`, 'utf8')
      for (const [, name] of source.matchAll(/container<[^(]*>\(\s*'(\w+)'/g)) {
        found++
        if (!reached.has(name!)) missing.push(`${file}: ${name}`)
      }
    }
    assert.deepEqual(missing, [])
    assert.ok(found > 40 && types.size > 50, `${found} containers, ${types.size} types`)
  })

  itRandom('keeps random values', random => {
    for (const [name, type] of types) {
      for (let round = 0; round < ROUNDS; round++) {
        const value = randomValue(type, random)
        const bytes = type.serialize(value)
        const back = decodeStrict(type, bytes, name, 'TX_INVALID')
        assert.ok(type.equals(back, value), name)
        assert.equal(toHex(type.serialize(back)), toHex(bytes), name)
        assert.equal(toHex(type.hashTreeRoot(back)), toHex(type.hashTreeRoot(value)), name)
      }
    }
  })

  itRandom('refuses damage, or takes it for what it says', random => {
    let [refused, taken] = [0, 0]
    for (const [name, type] of types) {
      for (let round = 0; round < ROUNDS; round++) {
        const bytes = type.serialize(randomValue(type, random))
        for (const other of damaged(bytes, random)) {
          let decoded: unknown
          try {
            decoded = decodeStrict(type, other, name, 'TX_INVALID')
          } catch (error) {
            assert.ok(HoldfastError.is(error, 'TX_INVALID'), `${name}: ${String(error)}`)
            refused++
            continue
          }
          taken++
          assert.equal(toHex(type.serialize(decoded)), toHex(other), name)
          if (equal(other, bytes)) continue
          const isOther =
            toHex(type.hashTreeRoot(decoded)) !== toHex(type.hashTreeRoot(type.deserialize(bytes)))
          assert.ok(isOther || type instanceof BasicType, `${name}: two encodings of one root`)
        }
      }
    }
    assert.ok(refused > 0 && taken > 0, `${refused} refused, ${taken} taken`)
  })
})
