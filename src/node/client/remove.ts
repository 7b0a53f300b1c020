/** Removes an object: its name goes at once, its pieces leave the deals by signed revisions. */
import { toHex } from '../../base/bytes.ts'
import { normalisePath } from '../../storage/index.ts'
import type { ClientContext } from './context.ts'
import type { Release } from './names.ts'
import { type OpenedObject, openObject, piecesOf } from './objects.ts'
import { dropMap } from './publish-map.ts'

/** @throws HoldfastError NOT_FOUND */
export async function remove(
  client: ClientContext,
  rawPath: string
): Promise<{ path: string; bytes: number }> {
  const path = normalisePath(rawPath)
  const object = await openObject(client, path)
  const release = releaseOf(client, object)
  await client.names.remove(path, release)
  void dropMap(client, release)
  void client.releaser.wake()
  return { path, bytes: object.record.bytes }
}

/** What has to be given back once the object lost its name. */
export function releaseOf(client: ClientContext, object: OpenedObject): Release {
  return {
    id: toHex(client.random.bytes(16)),
    intent: { pieces: piecesOf(object) },
    manifest: object.record.manifest,
    ...(object.record.repairMap !== undefined && { repairMap: object.record.repairMap })
  }
}
