/** holdfast bench: the benchmarks of a checkout */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { HoldfastError } from '../../src/base/errors.ts'
import { type AddCommands, examples } from '../session.ts'

const SCRIPT: string = fileURLToPath(new URL('../../bench/run.ts', import.meta.url))

export const addBench: AddCommands = (program, open) => {
  program
    .command('bench')
    .description('run the benchmarks (in a checkout only)')
    .argument('[args...]', 'passed on to bench/run.ts')
    .allowUnknownOption()
    .addHelpText('after', examples('holdfast bench', 'holdfast bench --json --only erasure'))
    .action(async (args: string[], _options: object, command: Command) => {
      if (!existsSync(SCRIPT)) {
        throw new HoldfastError('INVALID_ARGUMENT', 'the benchmarks are not part of the package', {
          hint: 'run them in a checkout of the repository'
        })
      }
      const all = open(command).json ? [...args, '--json'] : args
      const child = spawn(process.execPath, [SCRIPT, ...all], { stdio: 'inherit' })
      const [code] = (await once(child, 'exit')) as [number | null]
      process.exitCode = code ?? 1
    })
}
