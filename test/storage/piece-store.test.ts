import { createMemoryPieceStore } from '../../src/storage/memory-piece-store.ts'
import { createDiskPieceStore } from '../../src/storage/piece-log/piece-log-store.ts'
import { GROUP_TICKS, pieceStoreContract } from '../contracts/piece-store.ts'
import { FaultDisk } from '../support/fault-disk.ts'
import { FaultIndex } from '../support/fault-index.ts'
import { suiteRandom } from './random.ts'
import { makeTempFolder, removeTempFolder } from './temp-folder.ts'

describe('piece store in memory', () => {
  const random = suiteRandom()
  pieceStoreContract(
    {
      create: async (quotaBytes, trashTicks = 0) =>
        createMemoryPieceStore({ quotaBytes, trashTicks })
    },
    random
  )
})

describe('piece store on disk', () => {
  const random = suiteRandom()
  let folders: string[] = []
  pieceStoreContract(
    {
      create: async (quotaBytes, trashTicks = 0) => {
        const dir = await makeTempFolder()
        folders.push(dir)
        return createDiskPieceStore({ dir, quotaBytes, trashTicks, groupTicks: GROUP_TICKS })
      },
      cleanUp: async () => {
        await Promise.all(folders.map(removeTempFolder))
        folders = []
      }
    },
    random
  )
})

describe('piece store on disk, with short reads and writes, small logs and little memory', () => {
  const random = suiteRandom()
  pieceStoreContract(
    {
      create: async (quotaBytes, trashTicks = 0) => {
        const fs = new FaultDisk(random, { isShort: true })
        const index = new FaultIndex(random)
        const limits = { logBytesMax: 65_536, smallBytesMax: 2_048, flushBytesMax: 8_192 }
        const shared = { dir: '/node', quotaBytes, trashTicks, groupTicks: GROUP_TICKS }
        return createDiskPieceStore({
          ...shared,
          fs,
          index,
          limits: { ...limits, garbageBytesFree: 0 }
        })
      }
    },
    random
  )
})
