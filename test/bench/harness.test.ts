import assert from 'node:assert/strict'
import {
  compare,
  cpuLoop,
  cpuTask,
  opsLoop,
  rowOf,
  skippedRow,
  timed
} from '../../bench/harness.ts'
import type { Contestant, Sample } from '../../bench/types.ts'
import { suiteNumbers } from './random.ts'

const signal = new AbortController().signal

/** Gives the samples in order and notes who ran. */
function scripted(name: string, samples: readonly Sample[], log: string[] = []): Contestant {
  let next = 0
  return {
    name,
    prepare: () => void log.push(`prepare ${name}`),
    sample: async () => {
      log.push(name)
      return samples[next++]!
    }
  }
}

function seconds(...cpu: number[]): Sample[] {
  return cpu.map(cpuSeconds => ({ amount: 1e6, cpuSeconds, wallSeconds: 2 * cpuSeconds }))
}

/** Samples that did not count CPU time. */
function onWall(...wall: number[]): Sample[] {
  return wall.map(wallSeconds => ({ amount: 1, wallSeconds }))
}

describe('bench/harness', () => {
  const numbers = suiteNumbers()

  it('prepares everybody first and then takes turns, starting with another one each round', async () => {
    const log: string[] = []
    const same = seconds(1, 1, 1, 1, 1)
    const contestants = ['a', 'b', 'c'].map(name => scripted(name, same, log))
    await compare(contestants, { rounds: 5, signal })
    assert.equal(log.slice(0, 3).join(), 'prepare a,prepare b,prepare c')
    assert.equal(log.slice(3).join(''), 'abc' + 'bca' + 'cab' + 'abc' + 'bca')
  })

  it('takes at least one round, different names, and stops when it is told to', async () => {
    const one = [scripted('a', seconds(1))]
    await assert.rejects(compare(one, { rounds: 0, signal }), /at least one/)
    const twins = [scripted('a', seconds(1)), scripted('a', seconds(1))]
    await assert.rejects(compare(twins, { rounds: 5, signal }), /different names/)
    const aborted = AbortSignal.abort(new Error('enough'))
    await assert.rejects(compare(one, { rounds: 5, signal: aborted }), /enough/)
  })

  it('takes ratios within a round, so that load which hits a round leaves them alone', async () => {
    const load = Array.from({ length: 7 }, () => 1 + 9 * numbers().next())
    const ours = scripted('ours', seconds(...load))
    const peer = scripted('peer', seconds(...load.map(factor => 3 * factor)))
    const rounds = await compare([ours, peer], { rounds: 7, signal })
    const init = { name: 'area/op', ours: 'ours', peers: ['peer'], unit: 'MB' } as const
    const cpu = rowOf(rounds, { ...init, basis: 'cpu', guard: true })
    assert.deepEqual([cpu.ratios, cpu.guard, cpu.rounds], [{ peer: 3 }, true, 7])
    assert.ok(cpu.ratioSpreads['peer']! < 1e-9 && cpu.spread > 0)
    assert.equal(cpu.wallMBps, undefined)
    const wall = rowOf(rounds, { ...init, basis: 'wall' })
    assert.deepEqual([wall.ratios, wall.guard], [{ peer: 3, 'peer/cpu': 3 }, false])
    const unseen = await compare(
      [scripted('ours', onWall(1, 1, 1, 1, 1)), scripted('peer', onWall(2, 2, 2, 2, 2))],
      { rounds: 5, signal }
    )
    assert.deepEqual(rowOf(unseen, { ...init, unit: 'ops', basis: 'wall' }).ratios, { peer: 2 })
    assert.throws(() => rowOf(unseen, { ...init, basis: 'cpu' }), /CPU time/)
    assert.ok(Math.abs(wall.wallMBps! * 2 - wall.cpuMBps!) < 2e-3 * wall.cpuMBps!)
  })

  it('counts payload per second, in MB or operations', async () => {
    const times = seconds(0.5, 0.25, 0.1, 1, 0.2)
    const rounds = await compare([scripted('ours', times)], { rounds: 5, signal })
    const init = { name: 'area/op', ours: 'ours', peers: [], basis: 'cpu' } as const
    assert.equal(rowOf(rounds, { ...init, unit: 'MB' }).cpuMBps, 4)
    assert.equal(rowOf(rounds, { ...init, unit: 'ops' }).opsPerSecond, 4e6)
    assert.throws(() => rowOf(rounds, { ...init, ours: 'nobody', unit: 'MB' }), /nobody/)
  })

  it('repeats a kernel until its CPU time can be measured', async () => {
    let calls = 0
    const work = (): void => {
      calls++
      for (let i = 0, x = 1; i < 20_000; i++) x = Math.imul(x, 31) + calls
    }
    const contestant = cpuLoop('spin', 10, work, 0.02)
    await contestant.prepare!()
    calls = 0
    const sample = await contestant.sample()
    assert.equal(sample.amount, 10 * calls)
    assert.ok(calls > 1 && sample.cpuSeconds! > 0.004, `${calls} calls, ${sample.cpuSeconds} s`)
  })

  it('counts the CPU time of an asynchronous call, not what it waited for', async () => {
    const { promise, resolve } = Promise.withResolvers<number>()
    setTimeout(() => resolve(7), 50)
    const { amount, cpuSeconds, wallSeconds } = await cpuTask('waits', () => promise).sample()
    assert.equal(amount, 7)
    assert.ok(wallSeconds >= 0.045 && cpuSeconds! < 0.045, `${cpuSeconds} of ${wallSeconds} s`)
  })

  it('names the peers that do not run here', async () => {
    const rounds = await compare([scripted('ours', seconds(1))], { rounds: 1, signal })
    const init = { name: 'area/op', ours: 'ours', peers: [], unit: 'MB', basis: 'cpu' } as const
    const missing = { native: 'no build' }
    assert.deepEqual(rowOf(rounds, { ...init, missing }).missing, missing)
    assert.ok(!('missing' in rowOf(rounds, init)))
  })

  it('measures small operations with tinybench, and does not hide their failure', async () => {
    const sample = await opsLoop('turn', async () => await Promise.resolve()).sample()
    assert.ok(sample.amount === 1 && sample.wallSeconds > 0 && sample.wallSeconds < 1e-3)
    const failing = opsLoop('failing', () => {
      throw new Error('broken')
    })
    await assert.rejects(failing.sample(), /broken/)
  })

  it('adds the CPU time of other processes', async () => {
    let micros = 1_000_000
    const sample = await timed(
      async () => {
        micros += 5_000_000
        return 3
      },
      async () => micros
    )
    assert.equal(sample.amount, 3)
    assert.ok(sample.cpuSeconds >= 5 && sample.cpuSeconds < 6 && sample.wallSeconds < 1)
  })

  it('says why a row was skipped', () => {
    const { skipped, ratios, guard } = skippedRow('area/op', 'not built')
    assert.deepEqual([skipped, ratios, guard], ['not built', {}, false])
  })
})
