/**
 * Pieces with a receipt that no revision names yet. A lease says until which height the provider promised to keep one;
 * afterwards it goes, unless a deal took it up. Leases are synced before the receipt is signed.
 */
import type { Level } from 'level'
import { fromHex, toHex } from '../../base/bytes.ts'
import { decodeDocument, encodeDocument } from '../../base/codec.ts'

const LEASE_RECORD_BYTES_MAX = 256

export interface LeasesInit {
  db: Level<string, Uint8Array>
  /** Ledger height now. */
  height: () => bigint
  /** How long an unreferenced piece is kept, in heights. */
  leaseHeights: bigint
}

interface Lease {
  deal: Uint8Array
  heldUntilHeight: bigint
}

export class Leases {
  readonly #init: LeasesInit

  constructor(init: LeasesInit) {
    this.#init = init
  }

  /** Promises to keep a piece; returns the height until which. Durable when it resolves. */
  async hold(root: Uint8Array, deal: Uint8Array): Promise<bigint> {
    const heldUntilHeight = this.#init.height() + this.#init.leaseHeights
    const value = encodeDocument({ deal, heldUntilHeight: Number(heldUntilHeight) })
    await this.#init.db.put(toHex(root), value, { sync: true })
    return heldUntilHeight
  }

  async release(root: Uint8Array): Promise<void> {
    await this.#init.db.del(toHex(root))
  }

  async has(root: Uint8Array): Promise<boolean> {
    return (await this.#init.db.get(toHex(root))) !== undefined
  }

  /** Roots whose lease ended before `height`. */
  async *expired(height: bigint): AsyncGenerator<Uint8Array> {
    for await (const [key, value] of this.#init.db.iterator()) {
      const lease = decodeDocument(value, LEASE_RECORD_BYTES_MAX) as Lease
      if (BigInt(lease.heldUntilHeight) < height) yield fromHex(key)
    }
  }
}
