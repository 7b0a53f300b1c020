/**
 * What goes between the main thread and its workers. Every message of ours carries the tag: under `node --watch` the
 * runtime posts messages of its own to workers, and those are ignored.
 */
import type { ErrorJson } from '../../base/errors.ts'

export const WORKER_TAG = 'holdfast'

export interface WorkerRequest<T> {
  tag: typeof WORKER_TAG
  id: number
  job: T
}

export type WorkerAnswer<R> = { tag: typeof WORKER_TAG; id: number } & (
  | { result: R }
  | { error: ErrorJson }
)

export function isOurs(message: unknown): message is { tag: typeof WORKER_TAG; id: number } {
  return (message as { tag?: unknown } | null)?.tag === WORKER_TAG
}
