/** From a name to the object behind it: the manifest opened, and where its pieces are. */
import type { Manifest } from '../../storage/index.ts'
import { openManifest } from '../../storage/index.ts'
import type { ClientContext } from './context.ts'
import type { NameRecord } from './names.ts'

export interface OpenedObject {
  path: string
  record: NameRecord
  manifest: Manifest
  /** 32-byte key of the path. */
  pathKey: Uint8Array
}

/** @throws HoldfastError NOT_FOUND | DECRYPT_FAILED | MANIFEST_INVALID */
export async function openObject(client: ClientContext, path: string): Promise<OpenedObject> {
  const { record, manifest } = await client.names.resolve(path)
  const pathKey = client.keyring.pathKey(path)
  return { path, record, manifest: openManifest(manifest, pathKey), pathKey }
}

/** Every piece of an object with the deal that holds it. */
export function piecesOf({ manifest }: OpenedObject): { deal: Uint8Array; root: Uint8Array }[] {
  return manifest.segments.flatMap(({ pieces }) => pieces.map(({ deal, root }) => ({ deal, root })))
}
