/**
 * What goes between the main thread and its workers. Every message of ours carries the tag: under `node --watch` the
 * runtime posts messages of its own to workers, and those are ignored.
 */
import type { ErrorJson } from '../../base/errors.ts'

export const WORKER_TAG = 'holdfast'

/** What the workers of a pool can do: name of a task → what it takes and gives. Both have to be cloneable. */
export type Tasks<T> = { [Name in keyof T]: { job: unknown; result: unknown } }

/** How a worker does it. */
export type TaskHandlers<T extends Tasks<T>> = {
  [Name in keyof T]: (job: T[Name]['job']) => Promise<Outcome<T[Name]['result']>>
}

export interface Outcome<R> {
  result: R
  /** Memory of the result that moves to the main thread instead of being copied. */
  transfer?: ArrayBuffer[]
}

export interface WorkerRequest {
  tag: typeof WORKER_TAG
  id: number
  task: string
  job: unknown
}

export type WorkerAnswer = { tag: typeof WORKER_TAG; id: number } & (
  | { result: unknown }
  | { error: ErrorJson }
)

export function isOurs(message: unknown): message is { tag: typeof WORKER_TAG; id: number } {
  return (message as { tag?: unknown } | null)?.tag === WORKER_TAG
}
