/** Waiting on the replica instead of on the clock. */
import type { Replica } from '../../ledger/index.ts'

/** True once the replica is at `height` or above; false after `timeoutMs` or when the signal aborts. */
export function waitForBlock(
  replica: Replica,
  height: bigint,
  timeoutMs: number,
  signal?: AbortSignal
): Promise<boolean> {
  return waitUntil(replica, () => replica.head().height >= height, timeoutMs, signal)
}

/** True once `condition` holds, looked at after every block; false after `timeoutMs` or when the signal aborts. */
export function waitUntil(
  replica: Replica,
  condition: () => boolean,
  timeoutMs: number,
  signal?: AbortSignal
): Promise<boolean> {
  if (condition()) return Promise.resolve(true)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const unsubscribe = replica.onBlock(() => {
    if (condition()) resolve(true)
  })
  const timer = setTimeout(() => resolve(condition()), timeoutMs)
  const onAbort = (): void => resolve(false)
  signal?.addEventListener('abort', onAbort, { once: true })
  return promise.finally(() => {
    unsubscribe()
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  })
}
