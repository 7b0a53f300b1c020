/**
 * Run by kill.test.ts, which kills it: finalizes blocks without end and prints each height after it is durable.
 * Argument: folder of the database; the consensus journal stands beside it.
 */
import { beaconKeyFromSecret } from '../../src/ledger/beacon.ts'
import { Mempool } from '../../src/ledger/mempool.ts'
import { openAppendFile } from '../../src/node/validator/append-file.ts'
import { openReplica, txOf } from './replica-support.ts'
import { startSolo } from './solo-validator.ts'
import { beaconSecretOf, keyOf, testGenesis } from './support.ts'

const { replica } = await openReplica(process.argv[2]!, testGenesis({ alice: 10n ** 9n }))
const mempool = new Mempool(replica)
const path = process.argv[2]!
const files = [
  await openAppendFile(`${path}-journal-0`),
  await openAppendFile(`${path}-journal-1`)
] as const
const solo = await startSolo({
  replica,
  mempool,
  validatorKey: keyOf('vote/validator'),
  beaconKey: beaconKeyFromSecret(beaconSecretOf('validator')),
  files
})
const alice = keyOf('alice')
for (;;) {
  const to = keyOf(`to/${replica.height}`).publicKey
  mempool.add(txOf(replica, alice, { kind: 'transfer', payload: { to, amountUnits: 3n } }))
  await solo.next(0)
  process.stdout.write(`${replica.height}\n`)
}
