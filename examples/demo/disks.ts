/** Looks at the disks of the providers directly: what is durably there, and what a failing disk would do to it. */
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

const SHARD_NAME = /^[0-9a-f]{2}$/

/** Files of the complete pieces under a provider's home. A piece gets its name only after it is synced. */
async function pieceFiles(home: string): Promise<string[]> {
  const pieces = join(home, 'pieces')
  const shards = (await readdir(pieces)).filter(name => SHARD_NAME.test(name))
  const files = shards.map(async shard =>
    (await readdir(join(pieces, shard))).map(name => join(pieces, shard, name))
  )
  return (await Promise.all(files)).flat()
}

/** Bytes of complete pieces on these providers. */
export async function durableBytes(homes: readonly string[]): Promise<number> {
  const files = (await Promise.all(homes.map(pieceFiles))).flat()
  const stats = await Promise.all(files.map(file => stat(file)))
  return stats.reduce((sum, { size }) => sum + size, 0)
}

/** Inverts a byte every `stepBytes` in every piece of a provider; returns how many. */
export async function flipBytes(home: string, stepBytes: number): Promise<number> {
  let flips = 0
  for (const file of await pieceFiles(home)) {
    const handle = await open(file, 'r+')
    try {
      const { size } = await handle.stat()
      for (let at = Math.floor(stepBytes / 2); at < size; at += stepBytes) {
        const byte = Buffer.alloc(1)
        await handle.read(byte, 0, 1, at)
        byte.writeUInt8(byte.readUInt8(0) ^ 0xff)
        await handle.write(byte, 0, 1, at)
        flips++
      }
    } finally {
      await handle.close()
    }
  }
  return flips
}
