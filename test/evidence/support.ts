/** A ledger with a deal that was proven and paid, and bundles of evidence about it. */
import { toHex } from '../../src/base/bytes.ts'
import { exportEvidence } from '../../src/node/auditor/evidence-export.ts'
import type { EvidenceSubject } from '../../src/node/control/types.ts'
import type { Opening } from '../../src/proofs/index.ts'
import { openingFor } from '../../src/proofs/index.ts'
import { AuditedWorld } from '../node/auditor/support.ts'
import type { SeededRandom } from '../storage/random.ts'

export interface EvidenceWorld {
  made: AuditedWorld
  genesisHash: Uint8Array
  /** Reader's clock. */
  nowMs: bigint
  bundleOf(subject: EvidenceSubject): Promise<Uint8Array>
  close(): Promise<void>
}

/** The contents are on the ledger and some periods of them are proven. */
export async function makeEvidenceWorld(random: SeededRandom): Promise<EvidenceWorld> {
  const made = await AuditedWorld.make(random)
  const { world } = made
  await made.maps.add(made.deal.id, made.map().bytes)
  await made.post()
  for (let i = 0; i < 3; i++) {
    await world.toPeriod(world.replica.period() + 1n)
    await prove(made)
  }
  await world.block([
    world.provider.wallet,
    { kind: 'dealSettle', payload: { dealId: made.deal.id } }
  ])
  await world.block()
  return {
    made,
    genesisHash: world.replica.network.genesisHash,
    nowMs: BigInt(world.replica.head().timeMs) + 1_000n,
    bundleOf: async subject => {
      const { bundle } = await exportEvidence(
        { ...made.auditor, clock: { nowMs: () => world.replica.head().timeMs + 1_000 } },
        subject
      )
      return new Uint8Array(Buffer.from(bundle, 'base64'))
    },
    close: () => made.close()
  }
}

async function prove({ world }: AuditedWorld): Promise<void> {
  const { replica, provider, book, store } = world
  const period = replica.period()
  const account = provider.wallet.publicKey
  while (replica.challenge(account, period) === undefined && replica.period() === period) {
    await world.block()
  }
  const challenge = replica.challenge(account, period)
  if (challenge === undefined) return
  await world.block()
  const openings: Opening[] = []
  for (const { dealId, revision, leafIndex } of challenge.leaves) {
    const tree = await book.get(dealId)!.treeAt(revision)
    const readGroup = async (root: Uint8Array, group: number): Promise<Uint8Array> =>
      (await store.readGroups(root, group, 1)).bytes
    const groupCvsOf = (root: Uint8Array): Promise<Uint8Array> => store.groupCvs(root)
    openings.push(await openingFor({ tree, leafIndex, readGroup, groupCvsOf }))
  }
  await world.block([provider.wallet, { kind: 'proof', payload: { period, openings } }])
}

export function dealOf({ made }: EvidenceWorld): string {
  return toHex(made.deal.id)
}
