import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toHex } from '../../src/base/bytes.ts'
import { newFolder, openReplica } from './replica-support.ts'
import { keyOf, testGenesis } from './support.ts'

const CHILD = fileURLToPath(new URL('./kill-child.ts', import.meta.url))
const genesis = testGenesis({ alice: 10n ** 9n })

/** Runs the child until it has printed so many heights, then kills it; returns the last height it printed. */
async function runUntil(folder: string, heights: number): Promise<bigint> {
  const child = spawn(process.execPath, [CHILD, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  let [last, lines] = [0n, 0]
  child.stdout.setEncoding('utf8')
  for await (const chunk of child.stdout as AsyncIterable<string>) {
    for (const line of chunk.split('\n').filter(text => text !== '')) {
      last = BigInt(line)
      lines++
    }
    if (lines >= heights) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  assert.equal(child.signalCode, 'SIGKILL', 'the child ran until it was killed')
  return last
}

describe('a killed validator', function () {
  this.timeout(60_000)

  it('has every block it told of, whole, and goes on', async () => {
    const folder = newFolder()
    try {
      const path = join(folder.path, 'db')
      for (const heights of [1, 7, 13]) {
        const told = await runUntil(path, heights)
        const { replica, close } = await openReplica(path, genesis)
        try {
          assert.ok(replica.height >= told, `${replica.height} of ${told}`)
          await replica.audit()
          const { nonce } = replica.account(keyOf('alice').publicKey)
          assert.equal(nonce, replica.height, 'one transaction per block')
          for (let h = 2n; h <= replica.height; h++) {
            const { appHash } = replica.block(h)!.header
            assert.equal(toHex(appHash), toHex(replica.stateHashAt(h - 1n)!))
            assert.equal(replica.certificate(h)!.height, h)
          }
        } finally {
          await close()
        }
      }
    } finally {
      folder.remove()
    }
  })
})
