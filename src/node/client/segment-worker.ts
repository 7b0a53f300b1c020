/** Worker thread that encodes segments and decodes stripes. */
import { serveTasks } from '../workers/serve-tasks.ts'
import { decodeStripes } from './decode-job.ts'
import { encodeSegment } from './encode-job.ts'
import type { SegmentTasks } from './segment-tasks.ts'

serveTasks<SegmentTasks>({
  encode: async job => ({ result: await encodeSegment(job) }),
  decode: async job => {
    const plain = await decodeStripes(job)
    return { result: plain, transfer: plain.map(({ buffer }) => buffer as ArrayBuffer) }
  }
})
