/** Real piece files that tell an observer about each step of a write, so that a test can record it or let it fail. */
import type { PieceFiles } from '../../src/storage/piece-files.ts'

export type Step = 'create' | 'write' | 'sync' | 'publish' | 'published' | 'remove' | 'read'

/** `observe` is called before each step; "published" comes after the file is durably in its place. */
export function observeFiles(
  real: PieceFiles,
  observe: (step: Step, root?: Uint8Array) => void | Promise<void>
): PieceFiles {
  return {
    prepare: () => real.prepare(),
    hasShards: () => real.hasShards(),
    create: async name => {
      await observe('create')
      const file = await real.create(name)
      return {
        write: async chunk => {
          await observe('write')
          await file.write(chunk)
        },
        sync: async () => {
          await observe('sync')
          await file.sync()
        },
        close: () => file.close()
      }
    },
    publish: async (name, root) => {
      await observe('publish', root)
      await real.publish(name, root)
      await observe('published', root)
    },
    discard: name => real.discard(name),
    remove: async root => {
      await observe('remove', root)
      await real.remove(root)
    },
    read: async (root, offset, into) => {
      await observe('read', root)
      return real.read(root, offset, into)
    },
    length: root => real.length(root),
    shard: index => real.shard(index)
  }
}
