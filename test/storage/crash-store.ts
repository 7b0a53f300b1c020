/** The store that crash-child.ts writes to and crash.test.ts looks into. */
import {
  createDiskPieceStore,
  type DiskPieceStore
} from '../../src/storage/piece-log/piece-log-store.ts'

export function crashStore(dir: string): DiskPieceStore {
  return createDiskPieceStore({
    dir,
    quotaBytes: 10_000_000_000,
    limits: { logBytesMax: 1_000_000, smallBytesMax: 16_384, garbageBytesFree: 200_000 }
  })
}
