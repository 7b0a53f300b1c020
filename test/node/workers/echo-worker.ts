/** A worker for the pool's test: answers, fails or dies as the job says. */
import { HoldfastError } from '../../../src/base/errors.ts'
import { serveJobs } from '../../../src/node/workers/serve-jobs.ts'

serveJobs(async (job: { value: number; action: 'answer' | 'fail' | 'die' }) => {
  if (job.action === 'fail') throw new HoldfastError('RANGE_INVALID', `no ${job.value}`)
  if (job.action === 'die') process.exit(3)
  return job.value * 2
})
