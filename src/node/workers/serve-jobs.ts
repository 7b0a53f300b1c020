/** The worker's side of a pool: answers each job with its result or its error. */
import { parentPort } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import { toHoldfastError } from '../../base/errors.ts'
import { isOurs, WORKER_TAG, type WorkerRequest } from './messages.ts'

export function serveJobs<T, R>(work: (job: T) => Promise<R>): void {
  const port = parentPort
  assert(port !== null, 'runs in a worker thread')
  port.on('message', message => {
    if (!isOurs(message)) return
    const { id, job } = message as WorkerRequest<T>
    work(job).then(
      result => port.postMessage({ tag: WORKER_TAG, id, result }),
      error => port.postMessage({ tag: WORKER_TAG, id, error: toHoldfastError(error).toJSON() })
    )
  })
}
