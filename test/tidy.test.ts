/**
 * Style as a test: the rules of the design that no linter checks. Each rule runs over the real tree and over a small
 * one that breaks it, so that a rule which has stopped seeing anything fails too.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as rules from './tidy/rules.ts'
import { codeOf, importsOf, ROOT, readSourceTree, type SourceTree } from './tidy/source-tree.ts'

function clean(problems: readonly string[]): void {
  assert.equal(problems.length, 0, `\n  ${problems.join('\n  ')}`)
}

function tree(files: Record<string, string>): SourceTree {
  return new Map(Object.entries(files))
}

const importing = (...specifiers: string[]): string =>
  specifiers.map((specifier, i) => `import { x as x${i} } from '${specifier}'\n`).join('')

describe('tidy', () => {
  let source: SourceTree
  let all: SourceTree
  before(async () => {
    source = await readSourceTree('src', 'bin')
    all = await readSourceTree('src', 'bin', 'bench', 'examples', 'test')
    assert.ok(source.has('src/index.ts') && source.has('bin/holdfast.ts'), 'the tree is read')
  })

  it('keeps the layers', () => {
    clean(rules.layerProblems(source))
  })

  it('notices every way to break the layers', () => {
    const broken: [path: string, specifier: string][] = [
      ['src/base/a.ts', '../ledger/x.ts'],
      ['src/storage/a.ts', '../proofs/index.ts'],
      ['src/proofs/a.ts', '../storage/index.ts'],
      ['src/ledger/a.ts', '../proofs/prove.ts'],
      ['src/ledger/rules/a.ts', '../../proofs/index.ts'],
      ['src/ledger/a.ts', '../market/ask.ts'],
      ['src/market/a.ts', '../storage/index.ts'],
      ['src/market/a.ts', '../proofs/verify.ts'],
      ['src/node/client/a.ts', '../provider/b.ts'],
      ['src/node/provider/a.ts', '../client/b.ts'],
      ['src/node/wire/a.ts', '../client/b.ts'],
      ['src/node/net/a.ts', '../wire/b.ts'],
      ['src/node/a.ts', '../index.ts'],
      ['src/node/a.ts', '../../bin/main.ts'],
      ['src/node/client/a.ts', 'libp2p'],
      ['src/node/client/a.ts', '@libp2p/interface'],
      ['src/market/a.ts', 'node:http'],
      ['src/ledger/a.ts', 'node:net'],
      ['src/ledger/a.ts', 'node:fs/promises'],
      ['src/node/a.ts', 'node:child_process'],
      ['bin/a.ts', '../src/node/client/put.ts'],
      ['bin/a.ts', '../src/node/node.ts'],
      ['bin/a.ts', '../src/storage/index.ts'],
      ['bin/a.ts', '../src/ledger/replica.ts']
    ]
    for (const [path, specifier] of broken) {
      const found = rules.layerProblems(tree({ [path]: importing(specifier) }))
      assert.equal(found.length, 1, `${path} -> ${specifier}`)
    }
    const sound = tree({
      'src/index.ts': importing('./node/node.ts', './market/index.ts'),
      'src/ledger/rules/a.ts': importing(
        '../../proofs/verify.ts',
        '../../base/bytes.ts',
        '../b.ts'
      ),
      'src/market/a.ts': importing('../ledger/index.ts', '../base/bytes.ts', '@chainsafe/ssz'),
      'src/node/client/a.ts': importing('../net/types.ts', '../wire/b.ts', '../home-files.ts'),
      'src/node/node.ts': importing('./client/a.ts', './provider/b.ts', 'node:http'),
      'src/node/net/p2p.ts': importing('libp2p', '../../base/bytes.ts'),
      'src/storage/a.ts': importing('node:fs/promises'),
      'bin/a.ts': importing('../src/index.ts', '../src/node/control/client.ts', './b.ts')
    })
    assert.deepEqual(rules.layerProblems(sound), [])
  })

  it('sees imports in every form, and not in comments', () => {
    const text = [
      "import a from './a.ts'",
      'import {',
      '  b,',
      "  type B } from './b.ts'",
      "import './c.ts'",
      "export * from './d.ts'",
      "export type { E } from './e.ts'",
      "const f = await import('./f.ts')",
      "let g: typeof import('./g.ts')",
      "new Worker(new URL('./h.ts', import.meta.url))",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is code
      'new URL(`./i${extname(import.meta.url)}`, import.meta.url)',
      "// import z from './z.ts'",
      "/* import y from './y.ts' */",
      "const quote = /['`]/; import j from 'node:fs'"
    ].join('\n')
    const found = importsOf('src/x/m.ts', text).map(({ target, specifier }) => target ?? specifier)
    const files = [...'abcdefghi'].map(name => `src/x/${name}.ts`)
    assert.deepEqual(found.sort(), ['node:fs', ...files])
  })

  it('has no import cycle, types included', () => {
    clean(rules.cycleProblems(source))
    const cycle = tree({
      'src/a.ts': "import type { B } from './b.ts'",
      'src/b.ts': "export { c } from './c.ts'",
      'src/c.ts': "import type { A } from './a.ts'",
      'src/d.ts': "import { a } from './a.ts'"
    })
    assert.deepEqual(rules.cycleProblems(cycle), ['import cycle: src/a.ts, src/b.ts, src/c.ts'])
  })

  it('takes time, timers and randomness from outside, except in src/node and bin', () => {
    clean(rules.outsideProblems(source))
    const uses = [
      'Date.now()',
      'new Date()',
      'performance.now()',
      'Math.random()',
      'setTimeout(f, 1)',
      'setInterval(f)',
      'randomBytes(4)',
      'process.env.X',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is code
      '`${Date.now()}`'
    ]
    for (const use of uses) {
      const found = rules.outsideProblems(tree({ 'src/ledger/a.ts': `const x = 1\nf(${use})` }))
      assert.deepEqual(
        found.map(line => line.split(' ')[0]),
        ['src/ledger/a.ts:2'],
        use
      )
      assert.deepEqual(rules.outsideProblems(tree({ 'src/node/a.ts': use })), [])
    }
    const harmless =
      "// Date.now()\n/** setTimeout */\nf('Math.random()', `Date.now()`, /setTimeout/)"
    assert.deepEqual(rules.outsideProblems(tree({ 'src/base/a.ts': harmless })), [])
    assert.equal(codeOf(harmless).split('\n').length, 3, 'line numbers stay')
  })

  it('has files of 300 lines at most', () => {
    clean(rules.lengthProblems(source))
    const long = 'x\n'.repeat(rules.FILE_LINES_MAX + 1)
    assert.equal(rules.lengthProblems(tree({ 'src/a.ts': long })).length, 1)
    assert.equal(rules.lengthProblems(tree({ 'src/a.ts': long.slice(2) })).length, 0)
  })

  it('has lines of 120 columns at most', () => {
    clean(rules.widthProblems(source))
    const [fits, wide] = [
      'é'.repeat(rules.LINE_COLUMNS_MAX),
      'é'.repeat(rules.LINE_COLUMNS_MAX + 1)
    ]
    assert.deepEqual(rules.widthProblems(tree({ 'bin/a.ts': `${fits}\n${wide}` })), [
      'bin/a.ts:2 has 121 columns'
    ])
  })

  it('names files of ours with .ts', () => {
    clean(rules.extensionProblems(all))
    for (const specifier of ['./b', './b.js', '../b/index']) {
      const found = rules.extensionProblems(tree({ 'src/x/a.ts': importing(specifier) }))
      assert.equal(found.length, 1, specifier)
    }
  })

  it('names files in kebab case', () => {
    clean(rules.nameProblems(all))
    const named = tree({
      'src/aB.ts': '',
      'src/a_b.ts': '',
      'src/X/a.ts': '',
      'test/a-b.test.ts': ''
    })
    assert.deepEqual(rules.nameProblems(named), ['src/aB.ts', 'src/a_b.ts', 'src/X/a.ts'])
  })

  it('has no file that no entry point needs', async () => {
    clean(rules.deadFiles(source, await entryPoints()))
    const files = tree({
      'src/index.ts': importing('./a.ts'),
      'src/a.ts': "await import('./b.ts')",
      'src/b.ts': '',
      'src/dead.ts': importing('./deader.ts'),
      'src/deader.ts': importing('./dead.ts')
    })
    assert.deepEqual(rules.deadFiles(files, ['src/index.ts']), ['src/dead.ts', 'src/deader.ts'])
  })

  it('names no path of one machine', () => {
    clean(rules.machinePathProblems(source).filter(line => !line.startsWith('bin/')))
    const named = tree({ 'src/a.ts': "const a = '/home/x'\nconst b = 'a/tmp/b'\n// see /tmp/x" })
    assert.deepEqual(rules.machinePathProblems(named), [
      'src/a.ts:1 names /home/',
      'src/a.ts:3 names /tmp/'
    ])
  })

  it('documents every error code', async () => {
    const codes = rules.errorCodesOf(source.get('src/base/errors.ts')!)
    assert.ok(codes.length > 30 && codes.includes('INTERNAL'), `${codes.length} codes found`)
    const found = rules.errorDocProblems(['A_B', 'C_D'], '| `A_B` | … |\n| `E_F` | `HOLDFAST_X` |')
    assert.deepEqual(found, [
      'C_D is not in docs/ERRORS.md',
      'docs/ERRORS.md lists E_F, which does not exist'
    ])
    const document = await readFile(join(ROOT, 'docs/ERRORS.md'), 'utf8').catch(() => undefined)
    assert.ok(
      document !== undefined,
      'docs/ERRORS.md does not exist: every error code belongs there'
    )
    clean(rules.errorDocProblems(codes, document))
  })
})

/** The program, and what package.json exports. */
async function entryPoints(): Promise<string[]> {
  const { exports, bin } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { default: string }>
    bin: Record<string, string>
  }
  const built = [
    ...Object.values(exports).flatMap(entry => (typeof entry === 'string' ? [] : [entry.default])),
    ...Object.values(bin)
  ]
  return built.map(path => path.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts'))
}
