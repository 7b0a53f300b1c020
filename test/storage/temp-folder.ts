/** A folder for one test under the system's temporary folder. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export async function makeTempFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'holdfast-storage-'))
}

export async function removeTempFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}

/** Lengths of all files under a folder, and the blocks that they take. */
export async function diskUse(
  folder: string
): Promise<{ apparentBytes: number; allocatedBytes: number }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  let [apparentBytes, allocatedBytes] = [0, 0]
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const { size, blocks } = await stat(join(entry.parentPath, entry.name))
    apparentBytes += size
    allocatedBytes += 512 * blocks
  }
  return { apparentBytes, allocatedBytes }
}
