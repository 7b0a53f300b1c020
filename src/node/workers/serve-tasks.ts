/** The worker's side of a pool: answers each job with its result or its error. */
import { parentPort } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import { toHoldfastError } from '../../base/errors.ts'
import {
  isOurs,
  type TaskHandlers,
  type Tasks,
  WORKER_TAG,
  type WorkerRequest
} from './messages.ts'

export function serveTasks<T extends Tasks<T>>(handlers: TaskHandlers<T>): void {
  const port = parentPort
  assert(port !== null, 'runs in a worker thread')
  port.on('message', message => {
    if (!isOurs(message)) return
    const { id, task, job } = message as WorkerRequest
    handlers[task as keyof T](job).then(
      ({ result, transfer }) => port.postMessage({ tag: WORKER_TAG, id, result }, transfer ?? []),
      error => port.postMessage({ tag: WORKER_TAG, id, error: toHoldfastError(error).toJSON() })
    )
  })
}
