import { createDiskPieceStore } from '../../src/storage/disk-piece-store.ts'
import { createMemoryPieceStore } from '../../src/storage/memory-piece-store.ts'
import { pieceStoreContract } from '../contracts/piece-store.ts'
import { suiteRandom } from './random.ts'
import { makeTempFolder, removeTempFolder } from './temp-folder.ts'

describe('piece store in memory', () => {
  const random = suiteRandom()
  const create = async (quotaBytes: number) => createMemoryPieceStore({ quotaBytes })
  pieceStoreContract({ create }, random)
})

describe('piece store on disk', () => {
  const random = suiteRandom()
  let folders: string[] = []
  pieceStoreContract(
    {
      create: async quotaBytes => {
        const dir = await makeTempFolder()
        folders.push(dir)
        return createDiskPieceStore({ dir, quotaBytes })
      },
      cleanUp: async () => {
        await Promise.all(folders.map(removeTempFolder))
        folders = []
      }
    },
    random
  )
})
