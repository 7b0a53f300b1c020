/** Consensus messages on the wire: one byte that names the type, then its SSZ. */
import { concat } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import { SIGNATURE_BYTES } from '../../base/keys.ts'
import { BLOCK_BYTES_MAX } from '../../base/limits.ts'
import { certificateType } from '../types/block.ts'
import {
  bitList,
  byteList,
  bytes32,
  bytesOf,
  container,
  decodeStrict,
  listOf,
  type Ssz,
  u64
} from '../types/ssz.ts'
import {
  HAVE_BLOCKS_MAX,
  HAVE_CERTS_MAX,
  HAVE_PROPOSALS_MAX,
  HAVE_VOTES_MAX,
  JUSTIFY_CERTS_MAX,
  MESSAGE_BYTES_MAX,
  NEED_BLOCKS_MAX,
  NEED_VIEWS_MAX
} from './limits.ts'
import { type Have, type Message, type Need, type SignedProposal, signedVoteType } from './types.ts'

export const signedProposalType: Ssz<SignedProposal> = container<SignedProposal>('SignedProposal', {
  height: u64,
  view: u64,
  blockHash: bytes32,
  base: u64,
  signature: bytesOf(SIGNATURE_BYTES),
  justify: listOf(certificateType, JUSTIFY_CERTS_MAX),
  block: byteList(BLOCK_BYTES_MAX)
})

export const needType: Ssz<Need> = container<Need>('Need', {
  height: u64,
  view: u64,
  lacking: bitList(NEED_VIEWS_MAX),
  blocks: listOf(bytes32, NEED_BLOCKS_MAX)
})

export const haveType: Ssz<Have> = container<Have>('Have', {
  height: u64,
  certs: listOf(certificateType, HAVE_CERTS_MAX),
  votes: listOf(signedVoteType, HAVE_VOTES_MAX),
  proposals: listOf(signedProposalType, HAVE_PROPOSALS_MAX),
  blocks: listOf(byteList(BLOCK_BYTES_MAX), HAVE_BLOCKS_MAX)
})

const MESSAGE_KINDS = { proposal: 1, vote: 2, need: 3, have: 4 } as const

export function encodeMessage(message: Message): Uint8Array {
  const kind = Uint8Array.of(MESSAGE_KINDS[message.type])
  return concat(kind, bodyOf(message))
}

function bodyOf(message: Message): Uint8Array {
  switch (message.type) {
    case 'proposal':
      return signedProposalType.serialize(message.proposal)
    case 'vote':
      return signedVoteType.serialize(message.vote)
    case 'need':
      return needType.serialize(message.need)
    case 'have':
      return haveType.serialize(message.have)
  }
}

/** @throws HoldfastError FRAME_TOO_LARGE above MESSAGE_BYTES_MAX; PROTOCOL_VIOLATION when unknown or not canonical */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length > MESSAGE_BYTES_MAX) {
    throw new HoldfastError(
      'FRAME_TOO_LARGE',
      `consensus message of ${bytes.length} bytes, ${MESSAGE_BYTES_MAX} allowed`
    )
  }
  const body = bytes.subarray(1)
  switch (bytes[0] ?? 0) {
    case MESSAGE_KINDS.proposal:
      return { type: 'proposal', proposal: decoded(signedProposalType, body, 'proposal') }
    case MESSAGE_KINDS.vote:
      return { type: 'vote', vote: decoded(signedVoteType, body, 'vote') }
    case MESSAGE_KINDS.need:
      return { type: 'need', need: decoded(needType, body, 'need') }
    case MESSAGE_KINDS.have:
      return { type: 'have', have: decoded(haveType, body, 'have') }
    default:
      throw new HoldfastError('PROTOCOL_VIOLATION', 'consensus message of an unknown kind')
  }
}

function decoded<T>(type: Ssz<T>, bytes: Uint8Array, what: string): T {
  return decodeStrict(type, bytes, what, 'PROTOCOL_VIOLATION')
}
