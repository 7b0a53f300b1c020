/**
 * What a light block shows by itself: that the set it names has finalized the header. Not whether the set is the
 * right one.
 */
import { equal, toHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import { blockHashOf } from '../block.ts'
import { totalPower, verifyCertificate } from '../certificate.ts'
import { POWER_MAX } from '../genesis.ts'
import { BLOCK_VERSION, VOTE_KINDS } from '../types/block.ts'
import type { NetworkId } from '../types/network.ts'
import { type Validator, validatorsType } from '../types/records.ts'
import type { LightBlock } from './types.ts'

/** Everything but the signatures. @throws HoldfastError BLOCK_INVALID */
export function checkShape({ header, cert, validators }: LightBlock, network: NetworkId): void {
  check(header.version === BLOCK_VERSION, `has version ${header.version}`)
  check(header.chainId === network.chainId, 'is of another network')
  check(header.height >= 1n, 'has no height')
  check(header.timeMs <= BigInt(Number.MAX_SAFE_INTEGER), 'has a time out of range')
  check(
    header.originView >= 1n && header.originView <= cert.view,
    'is from a later view than its certificate'
  )
  const powers = validators.every(({ power }) => power >= 1n && power <= POWER_MAX)
  check(validators.length > 0 && powers, 'has a set without power')
  check(distinctKeys(validators), 'has a set that names a validator twice')
  check(
    equal(validatorsType.hashTreeRoot(validators), header.validatorsHash),
    'comes with another validator set'
  )
  check(cert.signers.bitLen === validators.length, 'has a certificate of another validator set')
}

/** @throws HoldfastError BLOCK_INVALID */
export function checkLightBlock(block: LightBlock, network: NetworkId): void {
  checkShape(block, network)
  checkSignatures(block, network)
}

/** @param block that has passed checkShape @throws HoldfastError BLOCK_INVALID */
export function checkSignatures(
  { header, cert, validators }: LightBlock,
  network: NetworkId
): void {
  const { height } = header
  const blockHash = blockHashOf(header)
  verifyCertificate(cert, validators, network, { kind: VOTE_KINDS.finalize, height, blockHash })
}

/** Power in `trusted` of the validators that the certificate says have signed, and whether it is more than a third. */
export function overlaps(block: LightBlock, trusted: readonly Validator[]): boolean {
  const signers = new Set(
    block.validators
      .filter((_, index) => block.cert.signers.get(index))
      .map(({ publicKey }) => toHex(publicKey))
  )
  const common = trusted.filter(({ publicKey }) => signers.has(toHex(publicKey)))
  return 3n * totalPower(common) > totalPower(trusted)
}

function distinctKeys(validators: readonly Validator[]): boolean {
  return new Set(validators.map(({ publicKey }) => toHex(publicKey))).size === validators.length
}

export function check(condition: boolean, problem: string): void {
  if (!condition) throw new HoldfastError('BLOCK_INVALID', `the light block ${problem}`)
}
