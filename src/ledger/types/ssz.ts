/**
 * SSZ (consensus-specs `ssz/simple-serialize.md`) as the ledger uses it: the types of @chainsafe/ssz behind one
 * interface per record, plus the checks the library leaves out (a u64 above 2^64 or a short byte vector would be
 * written silently wrong). Decoding is strict: bounded, then re-encoded and compared.
 */
import {
  BitArray,
  BitListType,
  ByteListType,
  ByteVectorType,
  type ByteViews,
  type CompositeTypeAny,
  ContainerType,
  ListCompositeType,
  type Type,
  UintBigintType,
  UintNumberType
} from '@chainsafe/ssz'
import { assert } from '../../base/assert.ts'
import { equal } from '../../base/bytes.ts'
import { type ErrorCode, HoldfastError } from '../../base/errors.ts'
import { HASH_BYTES } from '../../base/limits.ts'
import { provideBuffer } from './ssz-buffer.ts'

export type Ssz<T> = Type<T>
export { BitArray }

const U64_MAX = 2n ** 64n - 1n

provideBuffer()

class CheckedU64 extends UintBigintType {
  override value_serializeToBytes(output: ByteViews, offset: number, value: bigint): number {
    assert(value >= 0n && value <= U64_MAX, 'u64 out of range')
    return super.value_serializeToBytes(output, offset, value)
  }
}

class CheckedUint extends UintNumberType {
  override value_serializeToBytes(output: ByteViews, offset: number, value: number): number {
    const inRange = Number.isInteger(value) && value >= 0 && value < 2 ** (8 * this.byteLength)
    assert(inRange, `u${this.byteLength * 8} out of range`)
    return super.value_serializeToBytes(output, offset, value)
  }
}

class CheckedBytes extends ByteVectorType {
  override value_serializeToBytes(output: ByteViews, offset: number, value: Uint8Array): number {
    assert(value.length === this.lengthBytes, `expected ${this.lengthBytes} bytes`)
    return super.value_serializeToBytes(output, offset, value)
  }

  protected override getBlocksBytes(value: Uint8Array): Uint8Array {
    assert(value.length === this.lengthBytes, `expected ${this.lengthBytes} bytes`)
    return super.getBlocksBytes(value)
  }
}

/** An ASCII string on the wire as List[byte, N]. The casts are the price of a value type the library does not know. */
class AsciiType extends ByteListType {
  override value_serializedSize(value: unknown): number {
    return asciiBytes(value as string).length
  }

  override value_serializeToBytes(output: ByteViews, offset: number, value: unknown): number {
    return super.value_serializeToBytes(output, offset, asciiBytes(value as string))
  }

  override value_deserializeFromBytes(data: ByteViews, start: number, end: number): Uint8Array {
    const bytes = super.value_deserializeFromBytes(data, start, end)
    return String.fromCharCode(...bytes) as unknown as Uint8Array
  }

  override hashTreeRoot(value: unknown): Uint8Array {
    return super.hashTreeRoot(asciiBytes(value as string))
  }

  override hashTreeRootInto(value: unknown, output: Uint8Array, offset: number): void {
    super.hashTreeRootInto(asciiBytes(value as string), output, offset)
  }
}

/** The library hands some values back as the bytes that they already are. */
function asciiBytes(text: string | Uint8Array): Uint8Array {
  if (text instanceof Uint8Array) return text
  return Uint8Array.from(text, character => character.charCodeAt(0))
}

export const u8: Ssz<number> = new CheckedUint(1)
export const u16: Ssz<number> = new CheckedUint(2)
export const u32: Ssz<number> = new CheckedUint(4)
export const u64: Ssz<bigint> = new CheckedU64(8)
export const bytes32: Ssz<Uint8Array> = new CheckedBytes(HASH_BYTES)

export function bytesOf(length: number): Ssz<Uint8Array> {
  return new CheckedBytes(length)
}

export function byteList(bytesMax: number): Ssz<Uint8Array> {
  return new ByteListType(bytesMax)
}

export function asciiList(bytesMax: number): Ssz<string> {
  return new AsciiType(bytesMax) as unknown as Ssz<string>
}

export function bitList(bitsMax: number): Ssz<BitArray> {
  return new BitListType(bitsMax)
}

/** List[element, max] of a composite element. */
export function listOf<T>(element: Ssz<T>, max: number): Ssz<T[]> {
  assert(!element.isBasic, 'listOf takes composite elements')
  return new ListCompositeType(element as CompositeTypeAny, max) as unknown as Ssz<T[]>
}

/** A container whose fields are exactly those of `T`, in the order written. */
export function container<T extends object>(
  typeName: string,
  fields: { [K in keyof T]: Ssz<T[K]> }
): Ssz<T> {
  const type = new ContainerType(fields as Record<string, Type<unknown>>, { typeName })
  return type as unknown as Ssz<T>
}

/**
 * Canonical decoding of hostile bytes.
 * @param what names the record in the error
 * @throws HoldfastError `code` when too long, malformed or not the canonical encoding
 */
export function decodeStrict<T>(type: Ssz<T>, bytes: Uint8Array, what: string, code: ErrorCode): T {
  if (bytes.length > type.maxSize) {
    throw new HoldfastError(code, `${what} of ${bytes.length} bytes, ${type.maxSize} allowed`)
  }
  let value: T
  try {
    value = type.deserialize(plainBytes(bytes))
  } catch (cause) {
    throw new HoldfastError(code, `${what} does not decode`, { cause })
  }
  if (!equal(type.serialize(value), bytes)) {
    throw new HoldfastError(code, `${what} is not canonically encoded`)
  }
  return value
}

/** The same memory without the Buffer class: what is decoded from a Buffer would consist of Buffers. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
