/**
 * A pool of worker threads for CPU work, one kind of job each. Workers start when they are first needed, take one job
 * at a time, and do not keep the process alive. A worker that dies fails its job and is replaced by the next one.
 */
import { Worker } from 'node:worker_threads'
import { HoldfastError } from '../../base/errors.ts'
import { isOurs, WORKER_TAG, type WorkerAnswer } from './messages.ts'

export interface WorkerPoolInit {
  /** The worker's module. */
  url: URL
  /** Worker threads at most. */
  workersMax: number
}

interface Job<T, R> {
  job: T
  resolve: (result: R) => void
  reject: (error: Error) => void
}

export class WorkerPool<T, R> {
  readonly #init: WorkerPoolInit
  readonly #idle: Worker[] = []
  readonly #running = new Map<Worker, { id: number; job: Job<T, R> }>()
  readonly #queue: Job<T, R>[] = []
  #lastId = 0
  #closed = false

  constructor(init: WorkerPoolInit) {
    this.#init = init
  }

  /** @throws HoldfastError whatever the worker's job threw; INTERNAL when the worker died; ABORTED after `close` */
  run(job: T): Promise<R> {
    if (this.#closed) return Promise.reject(closedError())
    const { promise, resolve, reject } = Promise.withResolvers<R>()
    this.#queue.push({ job, resolve, reject })
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
      const id = ++this.#lastId
      this.#running.set(worker, { id, job })
      worker.postMessage({ tag: WORKER_TAG, id, job: job.job })
    }
  }

  #spawn(): Worker | undefined {
    if (this.#running.size + this.#idle.length >= this.#init.workersMax) return undefined
    const worker = new Worker(this.#init.url)
    worker.unref()
    worker.on('message', message => this.#onMessage(worker, message))
    worker.on('error', error => this.#onEnd(worker, error))
    worker.on('exit', () => this.#onEnd(worker, new Error('the worker thread ended')))
    return worker
  }

  #onMessage(worker: Worker, message: unknown): void {
    const running = this.#running.get(worker)
    if (!isOurs(message) || running?.id !== message.id) return
    const answer = message as WorkerAnswer<R>
    this.#running.delete(worker)
    this.#idle.push(worker)
    if ('result' in answer) running.job.resolve(answer.result)
    else running.job.reject(new HoldfastError(answer.error.code, answer.error.message))
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
    running?.job.reject(ended)
    if (!this.#closed) this.#assign()
  }
}

function closedError(): HoldfastError {
  return new HoldfastError('ABORTED', 'the node is stopping')
}
