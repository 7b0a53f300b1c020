import assert from 'node:assert/strict'
import { join } from 'node:path'
import { toHex } from '../../../src/base/bytes.ts'
import { type BytesDb, openDatabase } from '../../../src/node/open-database.ts'
import { Leases } from '../../../src/node/provider/leases.ts'
import { suiteRandom } from '../../storage/random.ts'
import { makeTempFolder, removeTempFolder } from '../../storage/temp-folder.ts'

describe('leases', () => {
  const random = suiteRandom()
  let folder: string
  let db: BytesDb
  let leases: Leases
  let height = 0n
  const reopen = async (): Promise<void> => {
    await db?.close()
    db = await openDatabase(join(folder, 'leases'))
    leases = new Leases({ db, height: () => height, leaseHeights: 10n })
  }
  beforeEach(async () => {
    height = 100n
    folder = await makeTempFolder()
    await reopen()
  })
  afterEach(async () => {
    await db.close()
    await removeTempFolder(folder)
  })

  const expired = async (at: bigint): Promise<string[]> => {
    const roots: string[] = []
    for await (const root of leases.expired(at)) roots.push(toHex(root))
    return roots.sort()
  }

  it('hold a piece up to the promised height, and a restart does not shorten it', async () => {
    const root = random.bytes(32)
    assert.equal(await leases.hold(root, random.bytes(32)), 110n)
    for (let i = 0; i < 2; i++) {
      assert.ok(await leases.has(root))
      assert.deepEqual([await expired(110n), await expired(111n)], [[], [toHex(root)]])
      await reopen()
    }
    assert.ok(!(await leases.has(random.bytes(32))))
  })

  it('are renewed by another receipt, and end with a release', async () => {
    const [a, b] = [random.bytes(32), random.bytes(32)]
    await leases.hold(a, random.bytes(32))
    await leases.hold(b, random.bytes(32))
    height = 105n
    assert.equal(await leases.hold(a, random.bytes(32)), 115n)
    assert.deepEqual(await expired(111n), [toHex(b)])
    assert.deepEqual(await expired(116n), [a, b].map(toHex).sort())
    await leases.release(a)
    await leases.release(a)
    await reopen()
    assert.deepEqual([await leases.has(a), await expired(1000n)], [false, [toHex(b)]])
  })
})
