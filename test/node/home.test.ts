import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHome, newPhrase, openHome } from '../../src/node/home.ts'
import { homePaths, readJsonFile, writeFileAtomic } from '../../src/node/home-files.ts'
import { createLogger } from '../../src/node/log.ts'

describe('home', () => {
  let folder: string
  let home: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-home-'))
    home = join(folder, 'node')
  })
  afterEach(() => rm(folder, { recursive: true }))

  const genesis = { chainId: 'test' }
  const config = { roles: ['provider'] }

  it('is created once, private, and opened again with the same keys', async () => {
    const made = await createHome({ home, genesis, config })
    const opened = await openHome(home)
    assert.deepEqual(opened.config, config)
    assert.deepEqual(opened.genesis, genesis)
    assert.deepEqual(opened.keys.wallet.publicKey, made.keys.wallet.publicKey)
    assert.equal(opened.phrase.split(' ').length, 24)
    const { paths } = opened
    const mode = async (file: string): Promise<number> => (await stat(file)).mode & 0o777
    for (const file of [paths.seed, paths.config]) assert.equal(await mode(file), 0o600, file)
    for (const dir of [paths.root, paths.keys, paths.pieces])
      assert.equal(await mode(dir), 0o700, dir)
    assert.deepEqual(await readdir(paths.pieces), [])
  })

  it('never overwrites a seed', async () => {
    const { phrase } = await createHome({ home, genesis, config })
    await assert.rejects(createHome({ home, genesis, config }), { code: 'ALREADY_EXISTS' })
    await rm(homePaths(home).config)
    await assert.rejects(createHome({ home, genesis, config }), { code: 'ALREADY_EXISTS' })
    assert.equal((await readFile(homePaths(home).seed, 'utf8')).trim(), phrase)
  })

  it('takes a phrase as people type it, and refuses a wrong one before it writes', async () => {
    const phrase = newPhrase()
    const wrong = phrase.split(' ').reverse().join(' ')
    await assert.rejects(createHome({ home, genesis, config, phrase: wrong }), {
      code: 'INVALID_ARGUMENT'
    })
    assert.deepEqual(await readdir(folder), [])
    const typed = `  ${phrase.toUpperCase().replaceAll(' ', '\n ')} `
    assert.equal((await createHome({ home, genesis, config, phrase: typed })).phrase, phrase)
  })

  it('says what is missing or damaged', async () => {
    await assert.rejects(openHome(home), { code: 'HOME_MISSING', hint: /holdfast init/ })
    const { paths } = await createHome({ home, genesis, config })
    await writeFile(paths.config, '{"roles":')
    await assert.rejects(openHome(home), { code: 'CONFIG_INVALID', message: /config\.json/ })
    await rm(paths.genesis)
    await writeFile(paths.config, '{}')
    await assert.rejects(openHome(home), { code: 'HOME_MISSING' })
  })

  it('replaces files as a whole and leaves no temporary ones', async () => {
    const file = join(folder, 'f.json')
    await writeFileAtomic(file, '{"a":1}')
    await writeFileAtomic(file, '{"a":2}')
    assert.deepEqual(await readJsonFile(file), { a: 2 })
    await assert.rejects(writeFileAtomic(folder, 'x'))
    assert.deepEqual(await readdir(folder), ['f.json'])
    assert.equal(await readJsonFile(join(file, 'below')), undefined)
  })

  it('logs JSON lines of an event and its facts', () => {
    const lines: string[] = []
    const destination = { write: (line: string): void => void lines.push(line) }
    const log = createLogger({ level: 'info', destination })
    log.debug('not shown')
    log.child({ part: 'net' }).warn('peer failed', {
      bytes: new Uint8Array([1, 255]),
      units: 5n,
      error: new Error('why')
    })
    const [line, ...more] = lines.map(text => JSON.parse(text) as Record<string, unknown>)
    assert.deepEqual(more, [])
    const { time, error, ...rest } = line!
    assert.match(String(time), /^\d{4}-.*Z$/)
    assert.equal((error as { message: string }).message, 'why')
    assert.deepEqual(rest, {
      level: 'warn',
      event: 'peer failed',
      part: 'net',
      bytes: '01ff',
      units: '5'
    })
  })
})
