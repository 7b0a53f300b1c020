/** What a daemon tells the process that spawned it, over the IPC channel; `ready` is also its line on stdout. */
import type { ErrorJson } from '../src/base/errors.ts'

export interface ReadyEvent {
  event: 'ready'
  pid: number
  peerId: string
  roles: string[]
  addresses: string[]
  home: string
}

export type DaemonEvent =
  /** It listens and answers, but may still be catching up. */
  | { event: 'listening'; peerId: string; addresses: string[] }
  | ReadyEvent
  | { event: 'failed'; error: ErrorJson }

/** Resolves when the parent has it; at once without a parent. */
export async function tellParent(event: DaemonEvent): Promise<void> {
  const send = process.send?.bind(process)
  if (send === undefined || !process.connected) return
  await new Promise<void>(resolve => {
    send(event, undefined, undefined, () => resolve()) // a parent that is gone is no error
  })
}
