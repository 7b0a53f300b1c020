/** CPU time and memory of other processes, from /proc; on other systems there is none. */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'

/** USER_HZ, the same on every Linux that Node runs on. */
const MICROS_PER_TICK = 10_000
const KIB_PER_MIB = 1024

export const hasProcessFacts: boolean = existsSync('/proc/self/stat')
export const NO_PROCESS_FACTS = 'needs /proc to read the CPU time and memory of other processes'

/** User and system time so far, in microseconds, of all threads. */
export async function cpuMicrosOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name, in parentheses, may hold spaces: fields count from the last closing one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK
}

export interface MemoryFacts {
  /** Resident now. */
  residentMiB: number
  /** The most that was resident since the start, or since `forgetPeak`. */
  peakMiB: number
}

export async function memoryOf(pid: number): Promise<MemoryFacts> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8')
  const field = (name: string): number => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)
    return Number(match?.[1]) / KIB_PER_MIB
  }
  return { residentMiB: field('VmRSS'), peakMiB: field('VmHWM') }
}

/** Starts the kernel's peak anew, so that it is exact for what follows. */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5')
}
