import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createOutput } from '../../bin/output.ts'
import { createProgram } from '../../bin/program.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { createControlClient } from '../../src/node/control/client.ts'
import { runCli } from './run-cli.ts'

describe('holdfast piece-cid', function () {
  this.timeout(30_000)
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-piece-cid-'))
  })
  after(() => rm(folder, { recursive: true }))

  /** FRC-0069: 127 bytes each of 0, 1, 2, 3. */
  const piece = Uint8Array.from({ length: 508 }, (_, i) => Math.floor(i / 127))
  const expected = {
    v1: 'baga6ea4seaqes3nobte6ezpp4wqan2age2s5yxcatzotcvobhgcmv5wi2xh5mbi',
    v2: 'bafkzcibcaaces3nobte6ezpp4wqan2age2s5yxcatzotcvobhgcmv5wi2xh5mbi',
    bytes: 508,
    paddedBytes: 512
  }

  it('needs no daemon; reads a file or stdin', async () => {
    const file = join(folder, 'piece')
    await writeFile(file, piece)
    const [named, piped, text] = await Promise.all([
      runCli(['piece-cid', file, '--json'], { home: folder }),
      runCli(['piece-cid', '-', '--json'], { home: folder, input: piece }),
      runCli(['piece-cid', file], { home: folder })
    ])
    assert.deepEqual(named.json(), expected, named.stderr)
    assert.deepEqual(piped.json(), expected, piped.stderr)
    assert.match(text.stdout.toString(), new RegExp(`${expected.v2}\n.*${expected.v1}`))
  })

  it('fails with a reason', async () => {
    const missing = await runCli(['piece-cid', join(folder, 'nope')], { home: folder })
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /no such file/)
    assert.equal(missing.stdout.length, 0)
  })

  it('ends when it is interrupted', async () => {
    const interrupt = new AbortController()
    const program = createProgram(() => ({
      home: folder,
      json: true,
      api: createControlClient({ home: folder }),
      output: createOutput({ json: true }),
      signal: interrupt.signal
    }))
    const running = program.parseAsync(['piece-cid', '/dev/zero'], { from: 'user' })
    setImmediate(() => interrupt.abort(new HoldfastError('ABORTED', 'interrupted')))
    await assert.rejects(running, error => HoldfastError.is(error, 'ABORTED'))
  })
})
