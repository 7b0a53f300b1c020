/** Opens `level` databases of this node; a folder that another process holds is a typed error. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Level } from 'level'
import { HoldfastError } from '../base/errors.ts'

export type BytesDb = Level<string, Uint8Array>

/** @throws HoldfastError HOME_IN_USE */
export async function openDatabase(location: string): Promise<BytesDb> {
  await mkdir(dirname(location), { recursive: true })
  const db: BytesDb = new Level<string, Uint8Array>(location, { valueEncoding: 'view' })
  return await lockingErrors(location, async () => {
    await db.open()
    return db
  })
}

/** Runs an open; another process on the same folder becomes HOME_IN_USE. */
export async function lockingErrors<T>(location: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    const cause = (error as { cause?: { code?: string } }).cause
    if (cause?.code !== 'LEVEL_LOCKED') throw error
    throw new HoldfastError('HOME_IN_USE', `another process is using ${location}`, {
      cause: error,
      hint: 'one daemon per home: `holdfast status` shows whether one is running, `holdfast stop` ends it'
    })
  }
}
