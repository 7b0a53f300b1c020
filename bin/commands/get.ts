/** holdfast get PATH -o FILE|-, holdfast cat PATH */
import type { Command } from 'commander'
import type { ByteRange } from '../../src/node/control/arguments.ts'
import type { GetHandle } from '../../src/node/control/types.ts'
import { pathArgument, rangeArgument } from '../arguments.ts'
import { formatBytes } from '../format.ts'
import { createProgress, silentProgress } from '../progress.ts'
import { type AddCommands, examples, type OpenSession, type Session } from '../session.ts'
import { openTarget, type Target } from '../target.ts'

interface GetOptions {
  output: string
  range?: ByteRange
}

export const addGet: AddCommands = (program, open) => {
  program
    .command('get')
    .description('read an object, or a range of it, into a file')
    .argument('<path>', 'path of the object', pathArgument)
    .requiredOption('-o, --output <file>', 'file to write, - for stdout')
    .option('--range <first-last>', 'byte positions, both inclusive', rangeArgument)
    .addHelpText(
      'after',
      examples(
        'holdfast get /photos/cat.jpg -o cat.jpg',
        'holdfast get /video.mp4 -o - --range 0-1048575 | head -c 100'
      )
    )
    .action((path: string, options: GetOptions, command: Command) =>
      fetchObject(open(command), path, options)
    )
  addCat(program, open)
}

function addCat(program: Command, open: OpenSession): void {
  program
    .command('cat')
    .description('write an object to stdout')
    .argument('<path>', 'path of the object', pathArgument)
    .addHelpText('after', examples('holdfast cat /notes/today.md | less'))
    .action((path: string, _options: object, command: Command) =>
      fetchObject(open(command), path, { output: '-' })
    )
}

/** Opens the object before the file, so that an unknown path leaves nothing behind. */
async function fetchObject(session: Session, path: string, options: GetOptions): Promise<void> {
  const { api, output, signal } = session
  const toStdout = options.output === '-'
  const handle = await api.get({
    path,
    ...(options.range === undefined ? {} : { range: options.range })
  })
  const target = await openTarget(options.output, signal)
  try {
    await copy(handle, target, toStdout || output.json)
    await target.commit()
  } finally {
    await target.abandon()
  }
  const failed = handle.failed()
  if (!output.json) {
    for (const { provider, reason } of failed) output.note(`provider ${provider} failed: ${reason}`)
  }
  if (toStdout) return
  output.result(
    { path, bytes: handle.bytes, failed },
    ({ bytes }) => `wrote ${options.output}: ${formatBytes(bytes)} of ${path}`
  )
}

async function copy(handle: GetHandle, target: Target, quiet: boolean): Promise<void> {
  const progress = quiet
    ? silentProgress
    : createProgress({
        verb: 'read',
        totalBytes: handle.bytes,
        stream: process.stderr,
        nowMs: Date.now
      })
  let bytes = 0
  try {
    for await (const chunk of handle.body) {
      await target.write(chunk)
      bytes += chunk.length
      progress.update(bytes)
    }
  } finally {
    progress.end()
  }
}
