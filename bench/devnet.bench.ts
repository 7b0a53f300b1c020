/**
 * put and get on a real network of processes on this machine, against plain copying over TCP to as many processes. Wall
 * time; the second ratio compares the CPU time of all processes, this one included. MB are payload on both sides, also
 * where the peer moves more.
 *
 *   raw-tcp      n/k times the bytes to n processes: what has to leave the client in a put
 *   raw-tcp-get  the bytes once, from k processes: what has to come in for a get
 */

import { assert } from '../src/base/assert.ts'
import { MIB } from '../src/base/limits.ts'
import { fetchOverTcp, sendOverTcp } from './children/tcp-protocol.ts'
import { compare, rowOf, skippedRow, timed } from './harness.ts'
import { rowName, sizeOf } from './row-name.ts'
import { randomStream } from './support/bytes.ts'
import { type BenchChild, cpuOf, startChildren, stopChildren } from './support/child.ts'
import { type BenchDevnet, startDevnet } from './support/devnet.ts'
import { hasProcessFacts, NO_PROCESS_FACTS } from './support/process-facts.ts'
import type { Area, Contestant } from './types.ts'

const K = 4
const N = 10
/** BENCH_DEVNET_BYTES sets another object size. */
const OBJECT_BYTES: number = Number(process.env['BENCH_DEVNET_BYTES'] ?? 64 * MIB)
const WARM_UP_BYTES: number = 4 * MIB
/** Plain copying is so fast that its sample needs several. */
const COPIES = 5

export const area: Area = {
  name: 'devnet',
  about: `put and get with ${N} providers at ${K}/${N} against plain copying over TCP`,
  async *run(context) {
    const nameOf = (op: string): string =>
      rowName('devnet', op, { k: K, n: N, size: sizeOf(OBJECT_BYTES) })
    if (!hasProcessFacts) {
      for (const op of ['put', 'get']) yield skippedRow(nameOf(op), NO_PROCESS_FACTS)
      return
    }
    context.note(`devnet: starting ${N + 2} processes`)
    const devnet = await startDevnet(N, context.signal)
    let children: BenchChild[] = []
    try {
      children = await startChildren('tcp-peer.ts', N)
      const objects = new Objects(devnet)
      const contestants = [objects.put(), objects.get(), ...copying(children)]
      const rounds = await compare(contestants, context)
      const peers = { put: ['raw-tcp'], get: ['raw-tcp', 'raw-tcp-get'] }
      for (const op of ['put', 'get'] as const) {
        const row = { name: nameOf(op), ours: op, peers: peers[op] }
        yield rowOf(rounds, { ...row, unit: 'MB', basis: 'wall' })
      }
    } finally {
      await stopChildren(children)
      await devnet.stop()
    }
  }
}

class Objects {
  readonly #devnet: BenchDevnet
  #stored = 0

  constructor(devnet: BenchDevnet) {
    this.#devnet = devnet
  }

  /** The first put opens the deals, which takes some blocks: it is not measured. */
  put(): Contestant {
    return {
      name: 'put',
      prepare: () => this.#put('/warm-up', WARM_UP_BYTES),
      sample: () => this.#timed(() => this.#put(`/object-${++this.#stored}`, OBJECT_BYTES))
    }
  }

  /** Reads the object that was put last. */
  get(): Contestant {
    return {
      name: 'get',
      prepare: async () => {
        await this.#put('/object-0', OBJECT_BYTES)
        await this.#get('/warm-up', WARM_UP_BYTES)
      },
      sample: () => this.#timed(() => this.#get(`/object-${this.#stored}`, OBJECT_BYTES))
    }
  }

  #timed(work: () => Promise<void>): ReturnType<Contestant['sample']> {
    return timed(async () => {
      await work()
      return OBJECT_BYTES
    }, this.#devnet.cpuMicros)
  }

  async #put(path: string, bytes: number): Promise<void> {
    const source = randomStream(bytes, this.#stored)
    await this.#devnet.api.put({ path, bytes, source, profile: `${K}/${N}` })
  }

  async #get(path: string, bytes: number): Promise<void> {
    const { body } = await this.#devnet.api.get({ path })
    let received = 0
    for await (const chunk of body) received += chunk.length
    assert(received === bytes, `${received} of ${bytes} bytes came back`)
  }
}

function copying(children: readonly BenchChild[]): Contestant[] {
  const share = Math.ceil(OBJECT_BYTES / K)
  const copy = (name: string, count: number, move: typeof sendOverTcp): Contestant => {
    const used = children.slice(0, count)
    const work = async (): Promise<number> => {
      for (let i = 0; i < COPIES; i++) {
        await Promise.all(used.map(({ address }) => move(Number(address), share)))
      }
      return COPIES * OBJECT_BYTES
    }
    return {
      name,
      prepare: async () => void (await work()),
      sample: () => timed(work, () => cpuOf(used))
    }
  }
  return [copy('raw-tcp', N, sendOverTcp), copy('raw-tcp-get', K, fetchOverTcp)]
}
