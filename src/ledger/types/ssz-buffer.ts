/**
 * @chainsafe/ssz writes lengths through a global Buffer. Where there is none, in a browser, it gets one with the three
 * functions that it calls and no other, so that nobody takes it for the real one.
 */

class LengthBuffer extends Uint8Array {
  static alloc(length: number): LengthBuffer {
    return new LengthBuffer(length)
  }

  writeUIntLE(value: number, offset: number, byteLength: number): void {
    let rest = value
    for (let i = 0; i < byteLength; i++) {
      this[offset + i] = rest % 256
      rest = Math.floor(rest / 256)
    }
  }
}

/** Over the same memory, as Buffer.from does with an ArrayBuffer. */
const from = (buffer: ArrayBuffer, offset: number, length: number): LengthBuffer =>
  new LengthBuffer(buffer, offset, length)

/** Before any SSZ type is made. */
export function provideBuffer(): void {
  const runtime = globalThis as { Buffer?: unknown }
  runtime.Buffer ??= Object.assign(LengthBuffer, { from })
}
