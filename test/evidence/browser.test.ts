/** The part that checks evidence runs where there is no Node: no builtin module, no Buffer, no process. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '../../src/base/bytes.ts'
import { suiteRandom } from '../storage/random.ts'
import { makeTempFolder } from '../storage/temp-folder.ts'
import { codeOf, importsOf, ROOT } from '../tidy/source-tree.ts'
import { dealOf, makeEvidenceWorld } from './support.ts'

const ENTRY = 'src/evidence/browser.ts'
const PACKAGES =
  /^(@chainsafe\/ssz|@ipld\/dag-cbor|@noble\/(curves|hashes)|@scure\/base|multiformats)(\/|$)/

describe('evidence in a browser', function () {
  this.timeout(60_000)
  const random = suiteRandom()

  it('imports nothing of Node', () => {
    const seen = new Set<string>()
    const open = [ENTRY]
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (seen.has(path)) continue
      seen.add(path)
      const text = readFileSync(join(ROOT, path), 'utf8')
      // types are gone when it runs
      const running = text.replace(/^(import|export) type [\s\S]*?from '.*'$/gm, '')
      for (const { target, specifier } of importsOf(path, running)) {
        if (target !== undefined) open.push(target)
        else assert.match(specifier, PACKAGES, `${path} imports ${specifier}`)
      }
      assert.doesNotMatch(codeOf(text), /\brequire\(/)
    }
    assert.ok(seen.size > 20, `${seen.size} files`)
  })

  it('verifies without builtin modules, Buffer and process', async () => {
    const world = await makeEvidenceWorld(random)
    const folder = await makeTempFolder()
    try {
      const bundle = await world.bundleOf({ repairMap: world.made.map().cid })
      const bad = bundle.slice()
      bad[bad.length >> 1]! ^= 1
      const script = join(folder, 'page.mjs')
      writeFileSync(
        script,
        pageOf({ bundle, bad, genesisHash: world.genesisHash, nowMs: world.nowMs })
      )
      const { stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' })
      assert.equal(stdout.trim(), `${dealOf(world)} refused`, stderr)
    } finally {
      rmSync(folder, { recursive: true })
      await world.close()
    }
  })
})

interface Page {
  bundle: Uint8Array
  bad: Uint8Array
  genesisHash: Uint8Array
  nowMs: bigint
}

/** Takes away what a browser has not, then does what a page would. */
function pageOf({ bundle, bad, genesisHash, nowMs }: Page): string {
  const entry = JSON.stringify(`file://${join(ROOT, ENTRY)}`)
  return `
import { registerHooks } from 'node:module'
const print = text => write.call(out, text + '\\n')
const out = process.stdout
const write = out.write
registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('node:')) throw new Error('a browser has no ' + specifier)
    // what a bundler for browsers would choose
    return next(specifier, { ...context, conditions: ['browser', 'import', 'default'] })
  }
})
delete globalThis.Buffer
Object.defineProperty(globalThis, 'process', { value: undefined })
const { verifyEvidence } = await import(${entry})
const fromHex = hex => Uint8Array.from(hex.match(/../g), pair => parseInt(pair, 16))
const check = hex =>
  verifyEvidence(fromHex(hex), {
    trust: { genesisHash: fromHex('${toHex(genesisHash)}') },
    nowMs: ${nowMs}n
  })
const { deals } = check('${toHex(bundle)}')
let second = 'verified'
try {
  check('${toHex(bad)}')
} catch (error) {
  second = typeof error.code === 'string' ? 'refused' : String(error)
}
print(deals[0].id + ' ' + second)
`
}
