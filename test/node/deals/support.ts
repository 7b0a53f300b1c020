/** A deal book in a temporary folder, and signed heads that nothing checks. */
import { join } from 'node:path'
import { DealBook, type DealFile } from '../../../src/node/deals/deal-book.ts'
import { type BytesDb, openDatabase } from '../../../src/node/open-database.ts'
import { makeTempFolder, removeTempFolder } from '../../storage/temp-folder.ts'

export const unsigned: Parameters<DealBook['create']>[1] = {
  terms: Uint8Array.of(1, 2, 3),
  clientSignature: new Uint8Array(64).fill(4),
  providerSignature: new Uint8Array(64).fill(5),
  clientPeer: '12D3KooWclient'
}

export const unsignedRevision: Parameters<DealFile['commit']>[1] = {
  revision: Uint8Array.of(6),
  clientSignature: new Uint8Array(64).fill(7),
  providerSignature: new Uint8Array(64).fill(8)
}

/** A book that can be closed and opened again; removed at the end. */
export class BookFolder {
  readonly #folder: string
  #db: BytesDb | undefined

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async make(): Promise<BookFolder> {
    return new BookFolder(await makeTempFolder())
  }

  /** Closes what was open before. */
  async open(): Promise<DealBook> {
    await this.#db?.close()
    this.#db = await openDatabase(join(this.#folder, 'deals'))
    return await DealBook.open(this.#db)
  }

  /** Keys left in the database. */
  async keys(): Promise<string[]> {
    return (await this.#db?.keys().all()) ?? []
  }

  async remove(): Promise<void> {
    await this.#db?.close()
    await removeTempFolder(this.#folder)
  }
}
