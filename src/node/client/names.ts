/**
 * The client's namespace: path → object. Names and sealed manifests are kept in `level`; a put that has begun leaves an
 * intent first, so that pieces it stored are given back if the process dies before the name is written.
 *
 * Keys: `n/<path>` name record, `m/<cid>` sealed manifest, `i/<id>` intent of a put in progress.
 */
import type { Level } from 'level'
import { decodeDocument, encodeDocument } from '../../base/codec.ts'
import { HoldfastError } from '../../base/errors.ts'
import { MANIFEST_BYTES_MAX, MIB } from '../../base/limits.ts'

const NAME_BYTES_MAX = 4096
const INTENT_BYTES_MAX: number = 4 * MIB

export interface NameRecord {
  /** CID of the sealed manifest. */
  manifest: string
  bytes: number
  modifiedMs: number
  /** CID of the repair map; none for an object without pieces. */
  repairMap?: string
}

/** Pieces that must not stay in a deal: of a put that never got its name, or of an object that was removed. */
export interface Intent {
  pieces: { deal: Uint8Array; root: Uint8Array }[]
}

/** The object that loses its name. */
export interface Release {
  id: string
  intent: Intent
  /** CID of its manifest. */
  manifest: string
  /** CID of its repair map. */
  repairMap?: string
}

export interface NamedObject {
  record: NameRecord
  /** The sealed manifest. */
  manifest: Uint8Array
  intentId: string
  release?: Release
}

type Database = Level<string, Uint8Array>

export class Names {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  async get(path: string): Promise<NameRecord | undefined> {
    const bytes = await this.#db.get(`n/${path}`)
    return bytes === undefined ? undefined : (decodeDocument(bytes, NAME_BYTES_MAX) as NameRecord)
  }

  /** @throws HoldfastError NOT_FOUND */
  async resolve(path: string): Promise<{ record: NameRecord; manifest: Uint8Array }> {
    const record = await this.get(path)
    const manifest = record && (await this.#db.get(`m/${record.manifest}`))
    if (record === undefined || manifest === undefined) {
      throw new HoldfastError('NOT_FOUND', `nothing is stored under ${path}`, {
        hint: '`holdfast ls /` lists what is'
      })
    }
    return { record, manifest }
  }

  /**
   * Names the object in one synced step: its put intent ends, and where it replaces an object, the intent to give back
   * the replaced pieces begins.
   */
  async set(path: string, object: NamedObject): Promise<void> {
    const { record, manifest, intentId, release } = object
    if (manifest.length > MANIFEST_BYTES_MAX) {
      throw new HoldfastError(
        'INVALID_ARGUMENT',
        'the object has too many segments for one manifest'
      )
    }
    await this.#db.batch(
      [
        { type: 'put', key: `n/${path}`, value: encodeDocument(record) },
        { type: 'put', key: `m/${record.manifest}`, value: manifest },
        { type: 'del', key: `i/${intentId}` },
        ...(release ? [putIntent(release.id, release.intent), delManifest(release.manifest)] : [])
      ],
      { sync: true }
    )
  }

  /** Forgets a name and begins to give back its pieces, in one synced step. */
  async remove(path: string, release: Release): Promise<void> {
    await this.#db.batch(
      [
        { type: 'del', key: `n/${path}` },
        putIntent(release.id, release.intent),
        delManifest(release.manifest)
      ],
      { sync: true }
    )
  }

  async *list(prefix: string): AsyncGenerator<{ path: string; record: NameRecord }> {
    for await (const [key, value] of this.#db.iterator(withPrefix(`n/${prefix}`))) {
      yield { path: key.slice(2), record: decodeDocument(value, NAME_BYTES_MAX) as NameRecord }
    }
  }

  /** Synced before any deal is revised. */
  async setIntent(id: string, intent: Intent): Promise<void> {
    await this.#db.batch([putIntent(id, intent)], { sync: true })
  }

  async endIntent(id: string): Promise<void> {
    await this.#db.del(`i/${id}`)
  }

  async intents(): Promise<{ id: string; intent: Intent }[]> {
    const found: { id: string; intent: Intent }[] = []
    for await (const [key, value] of this.#db.iterator(withPrefix('i/'))) {
      found.push({ id: key.slice(2), intent: decodeDocument(value, INTENT_BYTES_MAX) as Intent })
    }
    return found
  }
}

type PutOperation = { type: 'put'; key: string; value: Uint8Array }
type DelOperation = { type: 'del'; key: string }

function putIntent(id: string, intent: Intent): PutOperation {
  return { type: 'put', key: `i/${id}`, value: encodeDocument(intent) }
}

function delManifest(cid: string): DelOperation {
  return { type: 'del', key: `m/${cid}` }
}

/** Every key that starts with `text`, whose last character is not the last one of Unicode: prefixes end in "/". */
function withPrefix(text: string): { gte: string; lt: string } {
  const last = text.at(-1)!
  return { gte: text, lt: text.slice(0, -1) + String.fromCharCode(last.charCodeAt(0) + 1) }
}
