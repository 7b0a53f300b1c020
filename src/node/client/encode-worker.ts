/** Worker thread that encodes segments. */
import { serveJobs } from '../workers/serve-jobs.ts'
import { encodeSegment } from './encode-job.ts'

serveJobs(encodeSegment)
