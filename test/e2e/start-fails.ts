/** A start that has to fail, and must not wait for ever before it does. */
import { execFile } from 'node:child_process'
import type { CliResult } from '../bin/run-cli.ts'
import { PROGRAM } from './network.ts'

const START_FAILS_MS = 45_000

/** `holdfast start` in a home where it has to fail. */
export function startFails(home: string, ...flags: string[]): Promise<CliResult> {
  const { promise, resolve } = Promise.withResolvers<CliResult>()
  execFile(
    process.execPath,
    [PROGRAM, 'start', '--json', ...flags],
    {
      env: { ...process.env, HOLDFAST_HOME: home },
      timeout: START_FAILS_MS,
      killSignal: 'SIGKILL'
    },
    (error, stdout, stderr) => {
      const ended = error === null ? 0 : typeof error.code === 'number' ? error.code : null
      // the log of the daemon precedes the error
      const told = stderr.slice(Math.max(0, stderr.indexOf('error: ')))
      const out = Buffer.from(
        stdout
          .split('\n')
          .filter(line => !line.includes('"level"'))
          .join('\n')
      )
      resolve({ code: ended, stdout: out, stderr: told, json: () => JSON.parse(stdout) })
    }
  )
  return promise
}
