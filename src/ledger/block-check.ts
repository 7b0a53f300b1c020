/** What makes a block final: its certificate, the one it carries for the block below, and the right to propose. */
import { equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { Hash } from '../base/hash.ts'
import { blockHashOf, checkBlockBytes, encodeBlock, type Parent } from './block.ts'
import { verifyCertificate } from './certificate.ts'
import { type Block, type Certificate, certificateType, VOTE_KINDS } from './types/block.ts'
import type { NetworkId } from './types/network.ts'
import type { Validator } from './types/records.ts'

/** What the check asks of a replica. */
export interface ChainView {
  network: NetworkId
  parent(): Parent
  validators(): Validator[]
  /** The set that decided the parent. */
  lastValidators(): Validator[]
  leader(view: bigint): number
  certificate(height: bigint): Certificate | undefined
}

const { finalize } = VOTE_KINDS

/** @throws HoldfastError BLOCK_INVALID */
export function checkFinalized(chain: ChainView, block: Block, cert: Certificate): void {
  checkBlockBytes(encodeBlock(block).length)
  const { height, originView, proposer } = block.header
  const parent = chain.parent()
  check(height === parent.height + 1n, `block ${height} does not follow ${parent.height}`)
  const validators = chain.validators()
  const blockHash = blockHashOf(block.header)
  verifyCertificate(cert, validators, chain.network, { kind: finalize, height, blockHash })
  check(
    originView >= 1n && originView <= cert.view,
    'the block is from a later view than its certificate'
  )
  check(
    equal(validators[chain.leader(originView)]!.publicKey, proposer),
    'the proposer does not lead the view'
  )
  checkCarried(chain, block.lastCert, parent)
}

/** The proposer may carry another quorum than the one this replica saw. @throws HoldfastError BLOCK_INVALID */
export function checkCarried(
  chain: ChainView,
  carried: Certificate,
  parent: { height: bigint; blockHash: Hash }
): void {
  const { height, blockHash } = parent
  const own = certificateType.serialize(chain.certificate(height)!)
  if (equal(certificateType.serialize(carried), own)) return
  check(height > 0n, 'the first block carries the genesis certificate')
  const expected = { kind: finalize, height, blockHash }
  verifyCertificate(carried, chain.lastValidators(), chain.network, expected)
}

function check(condition: boolean, problem: string): void {
  if (!condition) throw new HoldfastError('BLOCK_INVALID', problem)
}
