/** Child processes of the bench: started with what they serve, asked for their CPU time, ended with the bench. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { assert } from '../../src/base/assert.ts'
import type { ChildMessage, ParentMessage } from '../children/messages.ts'

const FOLDER = new URL('../children/', import.meta.url)

export interface BenchChild {
  address: string
  cpuMicros(): Promise<number>
  /** Of a child that sends: resolves when the other end has as many bytes. */
  sendBytes(bytes: number): Promise<void>
  stop(): Promise<void>
}

/** @param program file name in bench/children */
export async function startChild(program: string, ...args: string[]): Promise<BenchChild> {
  const child = fork(new URL(program, FOLDER), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  const ready = await nextMessage(child)
  assert(ready.event === 'ready', `${program} is ready`)
  return {
    address: ready.address,
    cpuMicros: async () => {
      const answer = nextMessage(child)
      child.send('cpu' satisfies ParentMessage)
      const message = await answer
      assert(message.event === 'cpu', `${program} says its CPU time`)
      return message.micros
    },
    sendBytes: async bytes => {
      const answer = nextMessage(child)
      child.send({ sendBytes: bytes } satisfies ParentMessage)
      const message = await answer
      assert(message.event === 'sent', `${program} has sent`)
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}

async function nextMessage(child: ChildProcess): Promise<ChildMessage> {
  const ended = new AbortController()
  const [first] = (await Promise.race([
    once(child, 'message', { signal: ended.signal }),
    once(child, 'exit', { signal: ended.signal }).then(([code]) => {
      throw new Error(`a child process of the bench ended with code ${code}`)
    })
  ]).finally(() => ended.abort())) as [ChildMessage]
  return first
}

/** Several at once; when one does not start, none stays. */
export async function startChildren(
  count: number,
  program: string,
  ...args: string[]
): Promise<BenchChild[]> {
  const started = await Promise.allSettled(
    Array.from({ length: count }, () => startChild(program, ...args))
  )
  const children = started.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = started.find(result => result.status === 'rejected')
  if (failed === undefined) return children
  await stopChildren(children)
  throw failed.reason
}

export async function stopChildren(children: readonly BenchChild[]): Promise<void> {
  await Promise.all(children.map(child => child.stop()))
}

/** Their CPU time together, in microseconds. */
export async function cpuOf(children: readonly BenchChild[]): Promise<number> {
  const all = await Promise.all(children.map(child => child.cpuMicros()))
  return all.reduce((sum, micros) => sum + micros, 0)
}
