import assert from 'node:assert/strict'
import { type ErrorCode, HoldfastError } from '../../../src/base/errors.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { Bootstrap } from '../../../src/node/net/bootstrap.ts'
import { until } from './support.ts'

describe('node/net/bootstrap', () => {
  /** A search whose addresses are the errors they give; 'OK' answers the fourth time. */
  function search(addresses: string[]): { tried: Map<string, number>; stop: () => void } {
    const tried = new Map<string, number>()
    const stop = new AbortController()
    let alone = true
    const connect = async (address: string): Promise<void> => {
      const count = (tried.get(address) ?? 0) + 1
      tried.set(address, count)
      if (address !== 'OK') throw new HoldfastError(address as ErrorCode, 'as told')
      if (count < 4) throw new HoldfastError('TIMEOUT', 'not yet')
      alone = false
    }
    const logger = silentLogger
    const { signal } = stop
    const init = { addresses, connect, alone: () => alone, logger, signal, backoffMsMin: 2 }
    void new Bootstrap(init).search()
    return { tried, stop: () => stop.abort() }
  }

  it('tries until one answers, but not again where another network or this node itself is', async () => {
    const { tried } = search(['WRONG_NETWORK', 'INVALID_ARGUMENT', 'UNREACHABLE', 'OK'])
    await until('found', () => tried.get('OK') === 4)
    assert.deepEqual(Object.fromEntries(tried), {
      WRONG_NETWORK: 1,
      INVALID_ARGUMENT: 1,
      UNREACHABLE: 4,
      OK: 4
    })
  })

  it('ends with the node', async () => {
    const { tried, stop } = search(['UNREACHABLE'])
    await until('tried', () => tried.get('UNREACHABLE') === 2)
    stop()
    const last = tried.get('UNREACHABLE')
    await new Promise(resolve => setTimeout(resolve, 30))
    assert.equal(tried.get('UNREACHABLE'), last)
  })
})
