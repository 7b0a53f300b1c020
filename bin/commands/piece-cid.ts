/** holdfast piece-cid FILE: needs no daemon */
import type { Command } from 'commander'
import type { PieceCid } from '../../src/proofs/index.ts'
import { formatBytes, formatFacts } from '../format.ts'
import { type AddCommands, examples } from '../session.ts'
import { openSource } from '../source.ts'

export const addPieceCid: AddCommands = (program, open) => {
  program
    .command('piece-cid')
    .description("compute a file's Filecoin piece CIDs, v1 and v2")
    .argument('<file>', 'the file, or - for stdin')
    .addHelpText(
      'after',
      examples('holdfast piece-cid film.mkv', 'tar c photos | holdfast piece-cid - --json')
    )
    .action(async (file: string, _options: object, command: Command) => {
      const { signal, output } = open(command)
      output.result(await pieceCidOf(file, signal), describe)
    })
}

async function pieceCidOf(file: string, signal: AbortSignal): Promise<PieceCid> {
  const { createPieceCid } = await import('../../src/proofs/index.ts')
  const hasher = createPieceCid()
  const source = await openSource(file)
  const stop = (): void => void source.close() // a pipe that brings nothing more is waited for
  signal.addEventListener('abort', stop)
  try {
    for await (const chunk of source.stream) {
      signal.throwIfAborted()
      hasher.update(chunk)
    }
  } finally {
    signal.removeEventListener('abort', stop)
    await source.close()
    signal.throwIfAborted()
  }
  return hasher.finish()
}

function describe({ v1, v2, bytes, paddedBytes }: PieceCid): string {
  return formatFacts([
    ['v2', v2],
    ['v1', v1],
    ['size', formatBytes(bytes)],
    ['padded', formatBytes(paddedBytes)]
  ])
}
