/**
 * The real consensus core does what the model does: traces of model/simplex.qnt, recorded by `node model/run.ts`,
 * step by step. Traces of mutants must be refused, so that the comparison is known to see.
 */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ModelState, parseTrace } from '../../model/itf.ts'
import { Divergence, replayTrace } from '../../model/replay.ts'

const FOLDER = join(import.meta.dirname, '../vectors/simplex-itf')
const SOUND = ['afresh', 'carried', 'forked', 'jumping', 'weighted']

async function trace(name: string): Promise<ModelState[]> {
  return parseTrace(await readFile(join(FOLDER, `${name}.json`), 'utf8'))
}

describe('replay of the model', () => {
  for (const name of SOUND) {
    it(`follows ${name}`, async () => {
      const states = await trace(name)
      assert.ok(states.length > 5)
      assert.ok([...states.at(-1)!.nodes.values()].every(({ decided }) => decided !== ''))
      replayTrace(states)
      replayTrace(states, { arrival: 'votes' })
    })

    it(`follows ${name} with a restart before every move`, async () => {
      replayTrace(await trace(name), { restarts: true })
    })
  }

  it('has no trace that is not replayed', async () => {
    const files = await readdir(FOLDER)
    const mutants = ['without-condition', 'without-justification']
    assert.deepEqual(files.sort(), [...SOUND, ...mutants].map(name => `${name}.json`).sort())
  })

  it('does not finalize what it nullified, as the mutant does', async () => {
    const states = await trace('without-condition')
    assert.throws(
      () => replayTrace(states),
      isDivergence(/^move \d+ \(n\d learn notarize .*finalize/)
    )
  })

  it('does not vote without a justification, as the mutant does', async () => {
    const states = await trace('without-justification')
    assert.throws(() => replayTrace(states), isDivergence(/./))
  })

  it('notices every vote that the model does not have', async () => {
    const states = await trace('carried')
    let count = 0
    for (const [at, { nodes, move }] of states.entries()) {
      const node = nodes.get(move.node)
      const before = states[at - 1]?.nodes.get(move.node)
      if (node === undefined || before === undefined || node.votes.length === before.votes.length)
        continue
      const changed = new Map(nodes).set(move.node, { ...node, votes: before.votes })
      const broken = states.with(at, { ...states[at]!, nodes: changed })
      assert.throws(
        () => replayTrace(broken),
        isDivergence(new RegExp(`^move ${at} .*: votes of `))
      )
      count++
    }
    assert.ok(count > 5)
  })
})

function isDivergence(message: RegExp): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof Divergence, String(error))
    assert.match(error.message, message)
    return true
  }
}
