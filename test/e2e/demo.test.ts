/** The first command of the README, as a new user runs it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const DEMO = fileURLToPath(new URL('../../examples/demo.ts', import.meta.url))

describe('the demo', function () {
  this.timeout(400_000)

  it('stores, proves, loses providers and reads back', async () => {
    const child = spawn(process.execPath, [DEMO, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    const [code] = (await once(child, 'close')) as [number | null]
    const output = Buffer.concat(chunks).toString()
    assert.equal(code, 0, output.slice(-2_000))
    for (const event of ['verified', 'named', 'summary']) assert.match(output, new RegExp(event))
  })
})
