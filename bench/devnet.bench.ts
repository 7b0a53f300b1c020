/**
 * put and get on a real network of processes on this machine, against plain copying over node:tls to as many processes.
 * Wall time; the second ratio compares the CPU time of all processes, this one included. MB are payload on both sides,
 * also where the peer moves more.
 *
 *   node-tls      n/k times the bytes to n processes: what has to leave the client in a put
 *   node-tls-get  the bytes once, from k processes: what has to come in for a get
 */
import { assert } from '../src/base/assert.ts'
import { MIB } from '../src/base/limits.ts'
import { fetchBytes, type Move, sendBytes } from './children/tcp-protocol.ts'
import { compare, rowOf, skippedRow, timed } from './harness.ts'
import { rowName, sizeOf } from './row-name.ts'
import { randomStream } from './support/bytes.ts'
import { type BenchChild, cpuOf, startChildren, stopChildren } from './support/child.ts'
import { type BenchDevnet, startDevnet } from './support/devnet.ts'
import { hasProcessFacts, NO_PROCESS_FACTS } from './support/process-facts.ts'
import type { Area, Contestant } from './types.ts'

const K = 4
const N = 10
/** --size sets another one. */
const OBJECT_BYTES: number = 64 * MIB
/** From here on fewer rounds are enough, and all the time there is. */
const LARGE_BYTES: number = 512 * MIB
const LARGE_ROUNDS = 2
const WARM_UP_BYTES: number = 4 * MIB
/** Plain copying is fast: its sample is long enough when it moves so many bytes of payload. */
const COPIED_BYTES_MIN: number = 256 * MIB

export const area: Area = {
  name: 'devnet',
  about: `put and get with ${N} providers at ${K}/${N} against plain copying over node:tls`,
  async *run(context) {
    const { sizeBytes: objectBytes = OBJECT_BYTES } = context
    const nameOf = (op: string): string =>
      rowName('devnet', op, { k: K, n: N, size: sizeOf(objectBytes) })
    if (!hasProcessFacts) {
      for (const op of ['put', 'get']) yield skippedRow(nameOf(op), NO_PROCESS_FACTS)
      return
    }
    context.note(`devnet: starting ${N + 2} processes`)
    const devnet = await startDevnet(N, context.signal)
    let children: BenchChild[] = []
    try {
      children = await startChildren(N, 'tcp-peer.ts', 'tls')
      const objects = new Objects(devnet, objectBytes)
      const contestants = [objects.put(), objects.get(), ...copying(children, objectBytes)]
      const rounds = await compare(contestants, {
        ...context,
        rounds: objectBytes < LARGE_BYTES ? context.rounds : LARGE_ROUNDS
      })
      const peers = { put: ['node-tls'], get: ['node-tls', 'node-tls-get'] }
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
  readonly #objectBytes: number
  #stored = 0

  constructor(devnet: BenchDevnet, objectBytes: number) {
    this.#devnet = devnet
    this.#objectBytes = objectBytes
  }

  /** The first put opens the deals, which takes some blocks: it is not measured. */
  put(): Contestant {
    return {
      name: 'put',
      prepare: () => this.#put('/warm-up', WARM_UP_BYTES),
      sample: () => this.#timed(() => this.#put(`/object-${++this.#stored}`, this.#objectBytes))
    }
  }

  /** Reads the object that was put last: the first round starts with a put. */
  get(): Contestant {
    return {
      name: 'get',
      prepare: () => this.#get('/warm-up', WARM_UP_BYTES),
      sample: () => this.#timed(() => this.#get(`/object-${this.#stored}`, this.#objectBytes))
    }
  }

  #timed(work: () => Promise<void>): ReturnType<Contestant['sample']> {
    return timed(async () => {
      await work()
      return this.#objectBytes
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

function copying(children: readonly BenchChild[], objectBytes: number): Contestant[] {
  const share = Math.ceil(objectBytes / K)
  const copies = Math.ceil(COPIED_BYTES_MIN / objectBytes)
  const copy = (name: string, count: number, move: Move): Contestant => {
    const used = children.slice(0, count)
    const work = async (): Promise<number> => {
      for (let i = 0; i < copies; i++) {
        await Promise.all(used.map(({ address }) => move('tls', Number(address), share)))
      }
      return copies * objectBytes
    }
    return {
      name,
      prepare: async () => void (await work()),
      sample: () => timed(work, () => cpuOf(used))
    }
  }
  return [copy('node-tls', N, sendBytes), copy('node-tls-get', K, fetchBytes)]
}
