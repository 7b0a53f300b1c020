/** Looks at the disks of the providers directly: what is there, and what a failing disk would do to it. */
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

const LOG_NAME = /\.log$/

/** The logs of a provider: one per disk and time at which leases end. */
async function pieceFiles(home: string): Promise<string[]> {
  const pieces = join(home, 'pieces')
  const names = await readdir(pieces)
  return names.filter(name => LOG_NAME.test(name)).map(name => join(pieces, name))
}

/** Bytes in the piece logs of these providers, what is being synced included. */
export async function loggedBytes(homes: readonly string[]): Promise<number> {
  const files = (await Promise.all(homes.map(pieceFiles))).flat()
  const stats = await Promise.all(files.map(file => stat(file)))
  return stats.reduce((sum, { size }) => sum + size, 0)
}

/** Inverts a byte every `stepBytes` in every log of a provider; returns how many. */
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
