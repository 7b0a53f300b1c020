/**
 * Run by kill.test.ts, which kills it: finalizes blocks without end and prints each height after it is durable.
 * Argument: folder of the database.
 */
import { createEmbeddedEngine } from '../../src/ledger/embedded-engine.ts'
import { Mempool } from '../../src/ledger/mempool.ts'
import { openReplica, txOf } from './replica-support.ts'
import { beaconSecretOf, keyOf, testGenesis } from './support.ts'

const { replica } = await openReplica(process.argv[2]!, testGenesis({ alice: 10n ** 9n }))
const mempool = new Mempool(replica)
const engine = createEmbeddedEngine({
  replica,
  mempool,
  validatorKey: keyOf('vote/validator'),
  beaconSecret: beaconSecretOf('validator')
})
const alice = keyOf('alice')
for (;;) {
  const to = keyOf(`to/${replica.height}`).publicKey
  mempool.add(txOf(replica, alice, { kind: 'transfer', payload: { to, amountUnits: 3n } }))
  await engine.proposeAndFinalize(0)
  process.stdout.write(`${replica.height}\n`)
}
