/** Keys of simulated validators and clients, made once per process, and signature checks that remember their answer. */
import { toHex, utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { type SigningKey, signingKeyFromSeed } from '../../src/base/keys.ts'
import { type BeaconKey, beaconKeyFromSecret } from '../../src/ledger/beacon.ts'
import type { isShaped } from '../../src/ledger/consensus/certs.ts'
import type { SignedProposal, SignedVote, Verifier } from '../../src/ledger/consensus/types.ts'
import { realVerifier } from '../../src/ledger/consensus/verifier.ts'
import type { NetworkId } from '../../src/ledger/types/network.ts'

export interface ValidatorKeys {
  vote: SigningKey
  beacon: BeaconKey
  /** Its account. */
  wallet: SigningKey
}

const validators = new Map<number, ValidatorKeys>()
const clients = new Map<number, SigningKey>()

export function validatorKeys(index: number): ValidatorKeys {
  let keys = validators.get(index)
  if (keys === undefined) {
    keys = {
      vote: keyOf(`vote/${index}`),
      beacon: beaconKeyFromSecret(sha256(utf8(`sim/beacon/${index}`))),
      wallet: keyOf(`wallet/${index}`)
    }
    validators.set(index, keys)
  }
  return keys
}

export function clientKey(index: number): SigningKey {
  let key = clients.get(index)
  if (key === undefined) {
    key = keyOf(`client/${index}`)
    clients.set(index, key)
  }
  return key
}

function keyOf(name: string): SigningKey {
  return signingKeyFromSeed(sha256(utf8(`sim/${name}`)))
}

/**
 * The real checks, with the core's own check of a certificate's form; every statement is checked once for all nodes
 * of the simulation.
 */
export function rememberingVerifier(network: NetworkId, isWhole: typeof isShaped): Verifier {
  const real = realVerifier(network)
  const known = new Map<string, boolean>()
  const remember = (id: string, check: () => boolean): boolean => {
    let holds = known.get(id)
    if (holds === undefined) {
      holds = check()
      known.set(id, holds)
    }
    return holds
  }
  const verifier: Verifier = {
    vote: (publicKey, vote) =>
      remember(`${toHex(publicKey)}/${idOfVote(vote)}`, () => real.vote(publicKey, vote)),
    proposal: (publicKey, proposal) =>
      remember(`${toHex(publicKey)}/${idOfProposal(proposal)}`, () =>
        real.proposal(publicKey, proposal)
      ),
    certificate: (cert, set) => {
      if (!isWhole(cert, set)) return false
      const { kind, height, view, blockHash, signers, signatures } = cert
      return signers.getTrueBitIndexes().every((validator, i) => {
        const vote = { kind, height, view, blockHash, validator, signature: signatures[i]! }
        return verifier.vote(set[validator]!.publicKey, vote)
      })
    },
    block: block => real.block(block)
  }
  return verifier
}

function idOfVote({ kind, height, view, blockHash, signature }: SignedVote): string {
  return `${kind}/${height}/${view}/${toHex(blockHash)}/${toHex(signature)}`
}

function idOfProposal({ height, view, blockHash, base, signature }: SignedProposal): string {
  return `p/${height}/${view}/${base}/${toHex(blockHash)}/${toHex(signature)}`
}
