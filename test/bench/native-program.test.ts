import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { buildNative, startNative } from '../../bench/support/native-program.ts'

const { signal } = new AbortController()
const SOURCE = { name: 'isal', needs: 'a compiler' }

/** A peer in JavaScript: `body` runs with `say` to write a line. */
function peer(body: string): ReturnType<typeof startNative> {
  const say = 'const say = line => process.stdout.write(line + "\\n");'
  return startNative(process.execPath, ['-e', say + body])
}

describe('bench/native-program', () => {
  it('builds in a folder that is gone afterwards', async () => {
    const command = [process.execPath, '-e', 'fs.copyFileSync("isal.c", "isal")'] as const
    const program = await buildNative({ ...SOURCE, command }, signal)
    assert.ok(typeof program !== 'string' && existsSync(program.path))
    await program.remove()
    assert.ok(!existsSync(program.path))
  })

  it('says what is missing instead', async () => {
    const noCompiler = await buildNative({ ...SOURCE, command: ['no-such-compiler'] }, signal)
    assert.equal(noCompiler, 'no no-such-compiler on this machine; needs a compiler')
    const script =
      'console.error("note\\nisal.c:9: fatal error: isa-l.h: No such file"); process.exit(1)'
    const failing = await buildNative(
      { ...SOURCE, command: [process.execPath, '-e', script] },
      signal
    )
    assert.equal(failing, 'needs a compiler: isal.c:9: fatal error: isa-l.h: No such file')
  })

  it('asks for samples, one line each', async () => {
    const native = await peer(
      'say("ready one two"); process.stdin.on("data", text => say(text.length + " 0.5 0.25"))'
    )
    try {
      assert.deepEqual(native.levels, ['one', 'two'])
      const sample = { amount: 11, cpuSeconds: 0.5, wallSeconds: 0.25 }
      assert.deepEqual(await native.sample('encode one'), sample)
    } finally {
      await native.stop()
    }
  })

  it('does not take a peer that gives other shards, or nonsense, for a good one', async () => {
    const failing = peer('console.error("isal: other shards"); process.exitCode = 1')
    await assert.rejects(failing, /a native peer ended: isal: other shards/)
    const native = await peer('say("ready"); process.stdin.once("data", () => say("5 0 1"))')
    try {
      await assert.rejects(native.sample('encode one'), /a sample: 5 0 1/)
    } finally {
      await native.stop()
    }
  })
})
