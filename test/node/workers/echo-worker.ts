/** A worker for the pool's test: answers, fails or dies as it is told. */
import { HoldfastError } from '../../../src/base/errors.ts'
import { serveTasks } from '../../../src/node/workers/serve-tasks.ts'

export interface EchoTasks {
  double: { job: number; result: number }
  /** The bytes move. */
  fill: { job: { value: number; bytes: number }; result: { bytes: Uint8Array } }
  fail: { job: number; result: never }
  die: { job: undefined; result: never }
}

serveTasks<EchoTasks>({
  double: async value => ({ result: value * 2 }),
  fill: async ({ value, bytes }) => {
    const filled = new Uint8Array(bytes).fill(value)
    return { result: { bytes: filled }, transfer: [filled.buffer] }
  },
  fail: async value => {
    throw new HoldfastError('RANGE_INVALID', `no ${value}`)
  },
  die: () => process.exit(3)
})
