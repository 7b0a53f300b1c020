/** holdfast put FILE|- PATH */
import type { PutResult } from '../../src/node/control/types.ts'
import { pathArgument, profileArgument } from '../arguments.ts'
import { formatBytes } from '../format.ts'
import { createProgress, silentProgress } from '../progress.ts'
import { type AddCommands, examples } from '../session.ts'
import { openSource } from '../source.ts'

interface PutOptions {
  profile?: string
  force?: boolean
}

export const addPut: AddCommands = (program, open) => {
  program
    .command('put')
    .description('store a file, or stdin, under a path')
    .argument('<file>', 'file to store, - for stdin')
    .argument('<path>', 'path of the object, for example /photos/cat.jpg', pathArgument)
    .option('--profile <k/n>', 'erasure code: any k of n pieces are enough', profileArgument)
    .option('--force', 'replace an object that is already there')
    .addHelpText(
      'after',
      examples(
        'holdfast put cat.jpg /photos/cat.jpg',
        'holdfast put backup.tar /backup.tar --profile 10/30 --force',
        'tar c ~/notes | holdfast put - /notes.tar'
      )
    )
    .action(async (file: string, path: string, { profile, force }: PutOptions, command) => {
      const { api, output } = open(command)
      const source = await openSource(file)
      const progress = output.json
        ? silentProgress
        : createProgress({
            verb: 'stored',
            totalBytes: source.bytes,
            stream: process.stderr,
            nowMs: Date.now
          })
      try {
        const result = await api.put({
          path,
          source: source.stream,
          onProgress: ({ durableBytes }) => progress.update(durableBytes),
          ...(profile === undefined ? {} : { profile }),
          ...(force === undefined ? {} : { force }),
          ...(source.bytes === undefined ? {} : { bytes: source.bytes })
        })
        progress.end()
        output.result(result, describe)
      } finally {
        progress.end()
        await source.close()
      }
    })
}

function describe({ path, bytes, profile, pieces, manifest }: PutResult): string {
  const providers = new Set(pieces.map(({ provider }) => provider)).size
  const where = `${pieces.length} pieces (${profile}) on ${providers} providers`
  return `stored ${path}: ${formatBytes(bytes)} as ${where}\nmanifest ${manifest}`
}
