/** A folder for one test under the system's temporary folder. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export async function makeTempFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'holdfast-storage-'))
}

export async function removeTempFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}
