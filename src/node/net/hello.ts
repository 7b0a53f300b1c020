/**
 * The hello, first on every connection: one dag-cbor frame each way, the dialler's first, saying which network a peer
 * belongs to, where
 * it can be dialled, which roles it plays and which software it runs. All but the key are claims; nothing is trusted
 * for them.
 */
import { z } from 'zod'
import { decodeDocument, encodeDocument } from '../../base/codec.ts'
import { HoldfastError } from '../../base/errors.ts'
import { ADDRESS_CHARS_MAX, isAddress } from './addresses.ts'
import {
  ADDRESSES_PER_PEER_MAX,
  HELLO_AGENT_CHARS_MAX,
  HELLO_BYTES_MAX,
  HELLO_ROLES_MAX,
  HELLO_TIMEOUT_MS
} from './limits.ts'
import type { Channel } from './types.ts'

export interface Hello {
  /** Hex of the genesis hash. */
  networkId: string
  roles: string[]
  agent: string
  /** Multiaddrs. An inbound connection comes from a port nobody listens on, and identify may be late. */
  addresses: string[]
}

const schema = z.object({
  networkId: z.string().regex(/^[0-9a-f]{16,128}$/),
  roles: z.array(z.string().regex(/^[a-z][a-z-]{0,31}$/)).max(HELLO_ROLES_MAX),
  // printable ASCII: it ends up in terminals and logs
  agent: z
    .string()
    .max(HELLO_AGENT_CHARS_MAX)
    .regex(/^[ -~]*$/),
  addresses: z
    .array(z.string().max(ADDRESS_CHARS_MAX).refine(isAddress))
    .max(ADDRESSES_PER_PEER_MAX)
})

/** @throws HoldfastError PROTOCOL_VIOLATION unless a hello this version understands (unknown fields are ignored) */
export function decodeHello(bytes: Uint8Array): Hello {
  const parsed = schema.safeParse(decodeDocument(bytes, HELLO_BYTES_MAX))
  if (parsed.success) return parsed.data
  throw new HoldfastError('PROTOCOL_VIOLATION', 'malformed hello', { cause: parsed.error })
}

/** The dialler's half. @throws HoldfastError WRONG_NETWORK, PROTOCOL_VIOLATION and those of Channel */
export async function sayHello(channel: Channel, ours: Hello): Promise<Hello> {
  await channel.writeFrame(encodeDocument(ours), { timeoutMs: HELLO_TIMEOUT_MS })
  const theirs = await readHello(channel)
  assertSameNetwork(ours, theirs)
  return theirs
}

/** The other half: answers first, so that a dialler of another network learns why it is dropped. @throws as sayHello */
export async function answerHello(channel: Channel, ours: Hello): Promise<Hello> {
  const theirs = await readHello(channel)
  await channel.writeFrame(encodeDocument(ours), { timeoutMs: HELLO_TIMEOUT_MS })
  await channel.closeWrite()
  assertSameNetwork(ours, theirs)
  return theirs
}

async function readHello(channel: Channel): Promise<Hello> {
  const frame = await channel.readFrame(HELLO_BYTES_MAX, { timeoutMs: HELLO_TIMEOUT_MS })
  if (frame === undefined) throw new HoldfastError('FRAME_TRUNCATED', 'the peer sent no hello')
  return decodeHello(frame)
}

function assertSameNetwork(ours: Hello, theirs: Hello): void {
  if (ours.networkId === theirs.networkId) return
  throw new HoldfastError('WRONG_NETWORK', 'the peer belongs to another network', {
    details: { expected: ours.networkId, actual: theirs.networkId },
    hint: 'check that both nodes were initialised with the same genesis'
  })
}
