/**
 * A pool of worker threads for CPU work. Workers start when they are first needed, take one job at a time, and do not
 * keep the process alive. A worker that dies fails its job and is replaced by the next one.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { HoldfastError } from '../../base/errors.ts'
import {
  isOurs,
  type Tasks,
  WORKER_TAG,
  type WorkerAnswer,
  type WorkerRequest
} from './messages.ts'

/** More threads than this gain little: the main thread has to move what they make. */
const WORKERS_MAX_DEFAULT: number = Math.min(4, availableParallelism())

export interface WorkerPoolInit {
  /** The worker's module. */
  url: URL
  /** Worker threads at most. @default one per core, up to 4 */
  workersMax?: number
}

interface Job {
  request: WorkerRequest
  resolve: (result: unknown) => void
  reject: (error: Error) => void
}

export class WorkerPool<T extends Tasks<T>> {
  readonly #url: URL
  readonly #workersMax: number
  readonly #idle: Worker[] = []
  readonly #running = new Map<Worker, Job>()
  readonly #queue: Job[] = []
  #lastId = 0
  #closed = false

  constructor({ url, workersMax = WORKERS_MAX_DEFAULT }: WorkerPoolInit) {
    this.#url = url
    this.#workersMax = workersMax
  }

  /** @throws HoldfastError whatever the worker's task threw; INTERNAL when the worker died; ABORTED after `close` */
  run<Name extends keyof T & string>(task: Name, job: T[Name]['job']): Promise<T[Name]['result']> {
    if (this.#closed) return Promise.reject(closedError())
    const { promise, resolve, reject } = Promise.withResolvers<T[Name]['result']>()
    const request: WorkerRequest = { tag: WORKER_TAG, id: ++this.#lastId, task, job }
    this.#queue.push({ request, resolve, reject })
    this.#assign()
    return promise
  }

  /** Ends all workers; jobs that are not done fail. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { reject } of this.#queue.splice(0)) reject(closedError())
    const workers = [...this.#idle.splice(0), ...this.#running.keys()]
    await Promise.all(workers.map(worker => worker.terminate()))
  }

  #assign(): void {
    while (this.#queue.length > 0) {
      const worker = this.#idle.pop() ?? this.#spawn()
      if (worker === undefined) return
      const job = this.#queue.shift()!
      this.#running.set(worker, job)
      worker.postMessage(job.request)
    }
  }

  #spawn(): Worker | undefined {
    if (this.#running.size + this.#idle.length >= this.#workersMax) return undefined
    const worker = new Worker(this.#url)
    worker.unref()
    worker.on('message', message => this.#onMessage(worker, message))
    worker.on('error', error => this.#onEnd(worker, error))
    worker.on('exit', () => this.#onEnd(worker, new Error('the worker thread ended')))
    return worker
  }

  #onMessage(worker: Worker, message: unknown): void {
    const running = this.#running.get(worker)
    if (!isOurs(message) || running?.request.id !== message.id) return
    const answer = message as WorkerAnswer
    this.#running.delete(worker)
    this.#idle.push(worker)
    if ('result' in answer) running.resolve(answer.result)
    else running.reject(new HoldfastError(answer.error.code, answer.error.message))
    if (!this.#closed) this.#assign()
  }

  #onEnd(worker: Worker, cause: unknown): void {
    const running = this.#running.get(worker)
    this.#running.delete(worker)
    const at = this.#idle.indexOf(worker)
    if (at >= 0) this.#idle.splice(at, 1)
    const ended = this.#closed
      ? closedError()
      : new HoldfastError('INTERNAL', 'a worker thread failed', { cause })
    running?.reject(ended)
    if (!this.#closed) this.#assign()
  }
}

function closedError(): HoldfastError {
  return new HoldfastError('ABORTED', 'the node is stopping')
}
