/**
 * Parse, dispatch, exit codes: 0 ok, 1 failed, 2 usage, 130 interrupted. The code is left in process.exitCode, so that
 * everything written is flushed before the process ends.
 */
import { CommanderError } from 'commander'
import { HoldfastError, toHoldfastError } from '../src/base/errors.ts'
import { createControlClient } from '../src/node/control/client.ts'
import { UsageError } from './arguments.ts'
import { createOutput, printError } from './output.ts'
import { createProgram } from './program.ts'
import { globalsOf, type OpenSession } from './session.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2
const EXIT_INTERRUPTED = 130

export async function main(argv: readonly string[]): Promise<void> {
  const interrupt = new AbortController()
  const onSignal = (): void => interrupt.abort(new HoldfastError('ABORTED', 'interrupted'))
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  let readerGone = false
  process.stdout.on('error', error => {
    readerGone = (error as NodeJS.ErrnoException).code === 'EPIPE'
    interrupt.abort(toHoldfastError(error))
  })
  const open: OpenSession = command => {
    const { home, json } = globalsOf(command)
    const { signal } = interrupt
    const api = createControlClient({ home, signal })
    return { home, json, signal, api, output: createOutput({ json }) }
  }
  try {
    await createProgram(open).parseAsync(argv, { from: 'user' })
  } catch (error) {
    const code = exitCodeOf(error, interrupt.signal.aborted && !readerGone)
    if (code !== 0) process.exitCode = code
    if (code !== 0 && !readerGone) report(argv, error, code)
  }
}

function exitCodeOf(error: unknown, interrupted: boolean): number {
  if (error instanceof UsageError) return EXIT_USAGE
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE
  return interrupted ? EXIT_INTERRUPTED : EXIT_FAILED
}

/** Parsing may have failed, so the two flags that matter are looked for by hand. */
function report(argv: readonly string[], error: unknown, code: number): void {
  const helped = error instanceof CommanderError && error.code === 'commander.help'
  if (helped) return // the help was the message
  const json = argv.includes('--json')
  const verbose = argv.includes('--verbose')
  const shown =
    code === EXIT_INTERRUPTED ? new HoldfastError('ABORTED', 'interrupted') : operatingError(error)
  printError(shown, { json, verbose, cause: error })
}

function operatingError(error: unknown): HoldfastError {
  if (error instanceof UsageError) return error.failure
  if (!(error instanceof CommanderError)) return toHoldfastError(error)
  return new HoldfastError('INVALID_ARGUMENT', error.message.replace(/^error: /, ''), {
    hint: '`holdfast --help` lists the commands, `holdfast <command> --help` has examples'
  })
}
