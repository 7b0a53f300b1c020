/**
 * Proofs in operations per second; everything is in memory. What they cost is told as a ratio to one Ed25519
 * verification, the least that any transaction costs a replica. Opening a leaf is asynchronous and measured on the
 * wall by tinybench; the others are kernels, measured in CPU time of one thread.
 */
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { assert } from '../src/base/assert.ts'
import { GROUP_BYTES, MIB } from '../src/base/limits.ts'
import { commitPiece, openingFor, SumTree, verifyOpening } from '../src/proofs/index.ts'
import { compare, cpuLoop, opsLoop, rowOf } from './harness.ts'
import { rowName, sizeOf } from './row-name.ts'
import { randomBytes } from './support/bytes.ts'
import type { Area, Basis, BenchContext, Contestant, Row } from './types.ts'

const PIECES = 1024
const PIECE_BYTES: number = 8 * MIB
const PEER = 'ed25519-verify'

export const area: Area = {
  name: 'proof',
  about: 'opening and verifying a drawn leaf, and the sum tree of a deal',
  async *run(context) {
    const { open, kernels } = await proofWork()
    const verifySignature = signatureCheck()
    yield* compareOps([open], opsLoop(PEER, verifySignature), 'wall', context)
    yield* compareOps(kernels, cpuLoop(PEER, 1, verifySignature), 'cpu', context)
  }
}

async function* compareOps(
  ours: readonly Contestant[],
  peer: Contestant,
  basis: Basis,
  context: BenchContext
): AsyncGenerator<Row> {
  const rounds = await compare([...ours, peer], context)
  for (const { name } of ours) {
    yield rowOf(rounds, {
      name: rowName('proof', name, { n: PIECES, size: sizeOf(PIECE_BYTES) }),
      ...{ ours: name, peers: [PEER], unit: 'ops', basis, guard: basis === 'cpu' }
    })
  }
}

function signatureCheck(): () => void {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const message = randomBytes(200)
  const signature = sign(null, message, privateKey)
  return () => {
    verify(null, message, publicKey, signature)
  }
}

/** A deal of 1024 pieces that are all the same, so that one piece in memory answers for all of them. */
async function proofWork(): Promise<{ open: Contestant; kernels: Contestant[] }> {
  const piece = randomBytes(PIECE_BYTES)
  const { root, groupCvs, bytes } = commitPiece(piece)
  const slots = Array.from({ length: PIECES }, () => ({ root, bytes }))
  const tree = SumTree.from(slots)
  let next = 0n
  /** Walks over all leaves in large strides. */
  const drawn = (): bigint => {
    next = (next + 1_000_003n) % tree.leaves
    return next
  }
  const open = (leafIndex: bigint): ReturnType<typeof openingFor> =>
    openingFor({
      tree,
      leafIndex,
      readGroup: async (_root, group) =>
        piece.subarray(group * GROUP_BYTES, (group + 1) * GROUP_BYTES),
      groupCvsOf: async () => groupCvs
    })
  const leafIndex = drawn()
  const opening = await open(leafIndex)
  const facts = { opening, dealRoot: tree.root(), dealLeaves: tree.leaves, leafIndex }
  assert(verifyOpening(facts), 'the opening is right')
  return {
    open: opsLoop('open-leaf', () => open(drawn())),
    kernels: [
      cpuLoop('verify-leaf', 1, () => verifyOpening(facts)),
      cpuLoop('sum-tree-append', 1, () => {
        const revised = tree.clone()
        revised.append({ root, bytes })
        revised.root()
      }),
      cpuLoop('sum-tree-build', 1, () => SumTree.from(slots).root())
    ]
  }
}
