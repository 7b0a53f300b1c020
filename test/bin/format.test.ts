import assert from 'node:assert/strict'
import {
  formatBytes,
  formatDuration,
  formatFacts,
  formatMoney,
  formatTable
} from '../../bin/format.ts'
import { createOutput, printError } from '../../bin/output.ts'
import { createProgress } from '../../bin/progress.ts'
import { HoldfastError } from '../../src/base/errors.ts'

class Kept {
  text = ''
  readonly isTTY: boolean
  readonly columns = 100

  constructor(isTTY = false) {
    this.isTTY = isTTY
  }

  write(text: string): void {
    this.text += text
  }
}

describe('output', () => {
  it('writes byte counts in binary units', () => {
    const cases: [number, string][] = [
      [0, '0 B'],
      [1023, '1023 B'],
      [1024, '1.0 KiB'],
      [1_048_575, '1.0 MiB'],
      [1_048_576, '1.0 MiB'],
      [33_450_000, '31.9 MiB'],
      [2 ** 40, '1.0 TiB'],
      [2 ** 53, '8.0 PiB']
    ]
    for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text)
  })

  it('writes money in tokens and time in its two largest parts', () => {
    assert.equal(formatMoney(0n), '0 tokens')
    assert.equal(formatMoney(1n), '0.000000001 tokens')
    assert.equal(formatMoney(1_000_000_000n), '1 token')
    assert.equal(formatMoney(1_500_000_000n), '1.5 tokens')
    const times: [number, string][] = [
      [999, '0s'],
      [61_000, '1m 1s'],
      [3_600_000, '1h 0m'],
      [90_061_000, '1d 1h']
    ]
    for (const [ms, text] of times) assert.equal(formatDuration(ms), text)
  })

  it('aligns tables: text left, numbers right', () => {
    const rows = [
      { name: 'a', bytes: 5 },
      { name: 'long name', bytes: 12345 }
    ]
    const table = formatTable(
      rows,
      [
        ['bytes', ({ bytes }) => bytes],
        ['name', ({ name }) => name]
      ],
      'empty'
    )
    assert.equal(table, 'bytes  name\n    5  a\n12345  long name')
    assert.equal(formatTable([], [['x', () => 1]], 'empty'), 'empty')
    assert.equal(
      formatFacts([
        ['a', 1],
        ['long', 'b']
      ]),
      'a:     1\nlong:  b'
    )
  })

  it('prints one JSON value per result, money as decimal strings', () => {
    const [stdout, stderr] = [new Kept(), new Kept()]
    const output = createOutput({ json: true, stdout, stderr })
    output.result([{ units: 10n ** 18n }], () => assert.fail('not rendered'))
    output.note('by the way')
    assert.equal(stdout.text, '[{"units":"1000000000000000000"}]\n')
    assert.equal(stderr.text, 'by the way\n')
  })

  it('keeps control characters of strangers off the terminal', () => {
    const stdout = new Kept()
    createOutput({ json: false, stdout }).result('\u001b[2Jx\r', text => `${text}\nnext`)
    assert.equal(stdout.text, '?[2Jx?\nnext\n')
  })

  it('prints errors with their hint; stack traces only when asked', () => {
    const error = new HoldfastError('NOT_FOUND', 'nothing there', { hint: 'look elsewhere' })
    const [plain, json, verbose] = [new Kept(), new Kept(), new Kept()]
    printError(error, { json: false, verbose: false, cause: error, stderr: plain })
    assert.equal(plain.text, 'error: nothing there\nhint: look elsewhere\n')
    printError(error, { json: true, verbose: false, stderr: json })
    assert.deepEqual(JSON.parse(json.text.trim().split('\n').at(-1)!), {
      error: { code: 'NOT_FOUND', message: 'nothing there', hint: 'look elsewhere' }
    })
    printError(error, { json: false, verbose: true, cause: error, stderr: verbose })
    assert.match(verbose.text, /code: NOT_FOUND\n[\s\S]*\n {4}at /)
  })

  it('shows progress as a bar on a terminal and as lines elsewhere', () => {
    let now = 0
    const init = { verb: 'stored', totalBytes: 1000, nowMs: () => now }
    const terminal = new Kept(true)
    const bar = createProgress({ ...init, stream: terminal })
    now = 1000
    bar.update(500)
    bar.update(501) // too soon
    bar.end()
    assert.equal(
      terminal.text,
      `\r\u001b[K${'█'.repeat(15)}${'░'.repeat(15)}  50%  500 B of 1000 B stored, 500 B/s\r\u001b[K`
    )
    const file = new Kept()
    const lines = createProgress({ ...init, totalBytes: undefined, stream: file })
    lines.update(100)
    now += 5000
    lines.update(200)
    lines.end()
    assert.equal(file.text, '200 B stored, 40 B/s\n')
  })
})
