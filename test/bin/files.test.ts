import assert from 'node:assert/strict'
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSource } from '../../bin/source.ts'
import { openTarget } from '../../bin/target.ts'

describe('files of the CLI', () => {
  let folder: string
  const never = new AbortController().signal
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-files-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  async function readWhile(file: string, meddle: () => Promise<void>): Promise<number> {
    const source = await openSource(file)
    let bytes = 0
    try {
      for await (const chunk of source.stream) {
        if (bytes === 0) await meddle()
        bytes += chunk.length
      }
    } finally {
      await source.close()
    }
    return bytes
  }

  it('reads a file at rest, whatever its length', async () => {
    for (const size of [0, 1, 3_000_000]) {
      const file = join(folder, `f${size}`)
      await writeFile(file, Buffer.alloc(size))
      const source = await openSource(file)
      assert.equal(source.bytes, size)
      await source.close()
      assert.equal(await readWhile(file, async () => {}), size)
    }
  })

  it('notices a file that grows, shrinks, is rewritten or replaced while it is read', async () => {
    const meddling: ((file: string) => Promise<void>)[] = [
      file => appendFile(file, 'more'),
      file => writeFile(file, 'less'),
      file => writeFile(file, Buffer.alloc(3_000_000, 1)),
      async file => {
        await writeFile(`${file}.new`, Buffer.alloc(3_000_000))
        await rename(`${file}.new`, file)
      },
      file => rm(file)
    ]
    for (const [i, meddle] of meddling.entries()) {
      const file = join(folder, `f${i}`)
      await writeFile(file, Buffer.alloc(3_000_000))
      await assert.rejects(
        readWhile(file, () => meddle(file)),
        { code: 'SOURCE_CHANGED' },
        `${i}`
      )
    }
  })

  it('says what it cannot read', async () => {
    await assert.rejects(openSource(join(folder, 'nope')), {
      code: 'INVALID_ARGUMENT',
      message: /no such file/
    })
    await assert.rejects(openSource(folder), { message: /it is a folder/ })
  })

  it('shows the target only when it is complete', async () => {
    const file = join(folder, 'out')
    await writeFile(file, 'old')
    const target = await openTarget(file, never)
    await target.write(Buffer.from('ne'))
    await target.write(Buffer.from('w'))
    assert.equal(await readFile(file, 'utf8'), 'old')
    await target.commit()
    await target.abandon()
    assert.equal(await readFile(file, 'utf8'), 'new')
    assert.deepEqual(await readdir(folder), ['out'])
  })

  it('leaves nothing behind of an abandoned target', async () => {
    const target = await openTarget(join(folder, 'out'), never)
    await target.write(Buffer.from('half'))
    await target.abandon()
    assert.deepEqual(await readdir(folder), [])
    // a folder that appears under the name meanwhile: the rename fails
    const late = await openTarget(join(folder, 'late'), never)
    await mkdir(join(folder, 'late', 'full'), { recursive: true })
    await assert.rejects(late.commit())
    await late.abandon()
    assert.deepEqual(await readdir(folder), ['late'])
  })

  it('refuses a target in a folder that does not exist, or that is a folder', async () => {
    await assert.rejects(openTarget(join(folder, 'no', 'out'), never), { code: 'INVALID_ARGUMENT' })
    await assert.rejects(openTarget(folder, never), { message: /it is a folder/ })
  })
})
