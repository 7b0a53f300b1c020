/** What validators of the tests send, by name: account `name`, vote key `vote/name`, beacon key of `name`. */
import { ZERO_HASH } from '../../src/base/hash.ts'
import { UNITS_PER_TOKEN, type Units } from '../../src/base/money.ts'
import { beaconKeyFromSecret } from '../../src/ledger/beacon.ts'
import { signVote } from '../../src/ledger/certificate.ts'
import { signProposal } from '../../src/ledger/consensus/verifier.ts'
import { type GovernedParam, paramChangeOf } from '../../src/ledger/governed-params.ts'
import type { Outcome } from '../../src/ledger/machine/outcomes.ts'
import { setsOf } from '../../src/ledger/machine/validator-sets.ts'
import { signValidatorBinding } from '../../src/ledger/rules/validator.ts'
import { ONLY, roster, validatorRecords } from '../../src/ledger/state/tables.ts'
import { VOTE_KINDS } from '../../src/ledger/types/block.ts'
import type { NetworkId } from '../../src/ledger/types/network.ts'
import type { ValidatorRecord } from '../../src/ledger/types/validator.ts'
import {
  type Evidence,
  STATEMENT_PROPOSAL,
  type Statement,
  type ValidatorRegister
} from '../../src/ledger/types/validator-tx.ts'
import { beaconSecretOf, keyOf, type TestChain } from './support.ts'

export const TOKEN: Units = UNITS_PER_TOKEN

/** Two different blocks. */
export const BLOCK_A: Uint8Array = new Uint8Array(32).fill(0xa)
export const BLOCK_B: Uint8Array = new Uint8Array(32).fill(0xb)

const beaconKeys = new Map<string, ReturnType<typeof beaconKeyFromSecret>>()

function beaconKeyOf(name: string) {
  let key = beaconKeys.get(name)
  if (key === undefined) {
    key = beaconKeyFromSecret(beaconSecretOf(name))
    beaconKeys.set(name, key)
  }
  return key
}

export function registration(
  network: NetworkId,
  name: string,
  bondUnits: Units,
  changes: Partial<ValidatorRegister> = {}
): ValidatorRegister {
  const { chainId, genesisHash } = network
  const voteKey = keyOf(`vote/${name}`)
  const beacon = beaconKeyOf(name)
  const binding = {
    chainId,
    genesisHash,
    account: keyOf(name).publicKey,
    voteKey: voteKey.publicKey,
    beaconKey: beacon.publicKey
  }
  return {
    voteKey: voteKey.publicKey,
    voteSignature: signValidatorBinding(voteKey, binding),
    beaconKey: beacon.publicKey,
    beaconProof: beacon.provePossession(binding),
    bondUnits,
    ...changes
  }
}

export function register(
  chain: TestChain,
  name: string,
  bondUnits: Units,
  changes: Partial<ValidatorRegister> = {}
): Outcome {
  const payload = registration(chain.network, name, bondUnits, changes)
  return chain.send(keyOf(name), { kind: 'validatorRegister', payload })
}

export function bond(chain: TestChain, name: string, units: Units): Outcome {
  return chain.send(keyOf(name), { kind: 'validatorBond', payload: { units } })
}

export function unbond(chain: TestChain, name: string, units: Units): Outcome {
  return chain.send(keyOf(name), { kind: 'validatorUnbond', payload: { units } })
}

export function withdraw(chain: TestChain, name: string, of: string = name): Outcome {
  const payload = { account: keyOf(of).publicKey }
  return chain.send(keyOf(name), { kind: 'validatorWithdraw', payload })
}

export function unjail(chain: TestChain, name: string, of: string = name): Outcome {
  const payload = { account: keyOf(of).publicKey }
  return chain.send(keyOf(name), { kind: 'validatorUnjail', payload })
}

export function propose(
  chain: TestChain,
  name: string,
  changes: Partial<Record<GovernedParam, number | bigint>>,
  expiryHeight: bigint = chain.height + 50n
): Outcome {
  const list = Object.entries(changes).map(([param, value]) =>
    paramChangeOf(param as GovernedParam, value)
  )
  const payload = { changes: list, expiryHeight }
  return chain.send(keyOf(name), { kind: 'govPropose', payload })
}

export function voteFor(
  chain: TestChain,
  name: string,
  proposer: string,
  proposalId: Uint8Array
): Outcome {
  const payload = { proposer: keyOf(proposer).publicKey, proposalId }
  return chain.send(keyOf(name), { kind: 'govVote', payload })
}

export function recordOf(chain: TestChain, name: string): ValidatorRecord {
  return chain.state.get(validatorRecords, keyOf(name).publicKey)!
}

export function rosterSize(chain: TestChain): number {
  return chain.state.get(roster, ONLY)!.length
}

/** Powers of the set by account name; `set` is the one of the next, or another, height. */
export function powersOf(
  chain: TestChain,
  names: readonly string[],
  which: 'last' | 'current' | 'next' = 'current'
): Record<string, number> {
  const set = setsOf(chain.state)[which]
  const powers: Record<string, number> = {}
  for (const name of names) {
    const account = Buffer.from(keyOf(name).publicKey)
    const member = set.find(validator => account.equals(validator.account))
    if (member !== undefined) powers[name] = Number(member.power)
  }
  return powers
}

export interface At {
  height: bigint
  view?: bigint
}

type Said = 'notarize' | 'nullify' | 'finalize' | 'propose'

export interface Saying {
  /** @default BLOCK_A, or zero for nullify */
  blockHash?: Uint8Array
  base?: bigint
  network?: NetworkId
  /** Whose vote key signs. */
  signer?: string
}

/** A signed statement of a validator. */
export function statement(
  network: NetworkId,
  name: string,
  at: At,
  said: Said,
  changes: Saying = {}
): Statement {
  const { height, view = 1n } = at
  const blockHash = changes.blockHash ?? (said === 'nullify' ? ZERO_HASH : BLOCK_A)
  const base = changes.base ?? 0n
  const key = keyOf(`vote/${changes.signer ?? name}`)
  const { chainId, genesisHash } = changes.network ?? network
  if (said === 'propose') {
    const proposal = { height, view, blockHash, base }
    const signature = signProposal(key, { chainId, genesisHash }, proposal)
    return { kind: STATEMENT_PROPOSAL, blockHash, base, signature }
  }
  const kind = VOTE_KINDS[said]
  const signature = signVote(key, { chainId, genesisHash, kind, height, view, blockHash })
  return { kind, blockHash, base, signature }
}

export function evidenceOf(name: string, at: At, first: Statement, second: Statement): Evidence {
  const { height, view = 1n } = at
  return { voteKey: keyOf(`vote/${name}`).publicKey, height, view, first, second }
}

/** Two notarizations in one view. */
export function doubleNotarize(network: NetworkId, name: string, at: At): Evidence {
  const first = statement(network, name, at, 'notarize')
  const second = statement(network, name, at, 'notarize', { blockHash: BLOCK_B })
  return evidenceOf(name, at, first, second)
}

export function report(chain: TestChain, reporter: string, payload: Evidence): Outcome {
  return chain.send(keyOf(reporter), { kind: 'evidence', payload })
}
