/** Chains of light blocks without a machine: any sets, any times, any forks. Everything follows from names. */
import { utf8 } from '../../src/base/bytes.ts'
import { type Hash, sha256 } from '../../src/base/hash.ts'
import { type SigningKey, signingKeyFromSeed } from '../../src/base/keys.ts'
import { blockHashOf } from '../../src/ledger/block.ts'
import { makeCertificate, signVote } from '../../src/ledger/certificate.ts'
import type { LightSource } from '../../src/ledger/light/client.ts'
import type { ProvenRecord } from '../../src/ledger/light/record.ts'
import type { Trusted } from '../../src/ledger/light/trust.ts'
import type { LightBlock } from '../../src/ledger/light/types.ts'
import { AUTHENTICATED_TABLES, recordKey } from '../../src/ledger/state/tables.ts'
import { treeRoot, updateTree } from '../../src/ledger/state/tree.ts'
import { proveKey } from '../../src/ledger/state/tree-proof.ts'
import { treeKeyOf } from '../../src/ledger/state/view.ts'
import {
  BLOCK_VERSION,
  type Certificate,
  type Header,
  VOTE_KINDS
} from '../../src/ledger/types/block.ts'
import type { NetworkId } from '../../src/ledger/types/network.ts'
import { type Validator, validatorsType } from '../../src/ledger/types/records.ts'
import { MemoryNodes } from './tree-support.ts'

export const START_MS = 1_700_000_000_000n
export const BLOCK_MS = 5_000n
export const NETWORK: NetworkId = { chainId: 'light-1', genesisHash: sha256(utf8('genesis')) }

const keys = new Map<string, SigningKey>()

export function voteKeyOf(name: string): SigningKey {
  const key = keys.get(name) ?? signingKeyFromSeed(sha256(utf8(`light/${name}`)))
  keys.set(name, key)
  return key
}

/** Validators by name; the power is 10 unless the name ends in "=power". */
export function setOf(names: readonly string[]): Validator[] {
  return names.map(text => {
    const [name, power = '10'] = text.split('=') as [string, string?]
    return {
      publicKey: voteKeyOf(name).publicKey,
      power: BigInt(power),
      account: sha256(utf8(`account/${name}`)),
      beaconKey: new Uint8Array(48).fill(name.length)
    }
  })
}

export interface ChainInit {
  /** Names of the set in force at a height from 1 on. */
  names: (height: bigint) => readonly string[]
  heights: bigint
  /** Tells otherwise equal chains apart, from this height on. */
  forkAt?: bigint
  /** Who signs; @default everybody */
  signers?: (height: bigint, names: readonly string[]) => readonly string[]
  network?: NetworkId
}

export class LightChain {
  readonly network: NetworkId
  /** Height 0. */
  readonly genesis: Trusted
  readonly #init: ChainInit
  readonly #blocks: LightBlock[] = []
  /** State after every height: one account record, the same all along. */
  readonly nodes: MemoryNodes = new MemoryNodes()
  readonly appHash: Hash

  constructor(init: ChainInit) {
    this.#init = init
    this.network = init.network ?? NETWORK
    updateTree(
      this.nodes,
      RECORDS.map(({ key, value }) => ({
        key: treeKeyOf(recordKey(ACCOUNTS, key)),
        valueHash: sha256(value)
      }))
    )
    this.appHash = treeRoot(this.nodes)
    const validators = setOf(init.names(1n))
    this.genesis = {
      network: this.network,
      ...{ height: 0n, blockHash: this.network.genesisHash, timeMs: START_MS, validators },
      nextValidatorsHash: validatorsType.hashTreeRoot(validators)
    }
    for (let height = 1n; height <= init.heights; height++) this.#blocks.push(this.#make(height))
  }

  at(height: bigint): LightBlock {
    return this.#blocks[Number(height) - 1]!
  }

  /** A record of the accounts table with its proof. */
  record(key: Uint8Array): ProvenRecord {
    const value = RECORDS.find(known => known.key === key)?.value
    const proof = proveKey(this.nodes, treeKeyOf(recordKey(ACCOUNTS, key)))
    return { table: 'accounts', key, ...(value && { value }), proof }
  }

  /** Signs a header again after it was changed. */
  sign(header: Header, names: readonly string[], by: readonly string[] = names): LightBlock {
    return { header, validators: setOf(names), cert: certOf(this.network, header, names, by) }
  }

  #make(height: bigint): LightBlock {
    const { names, forkAt, signers } = this.#init
    const set = names(height)
    const forked = forkAt !== undefined && height >= forkAt
    const header: Header = {
      version: BLOCK_VERSION,
      chainId: this.network.chainId,
      height,
      originView: 1n,
      timeMs: START_MS + height * BLOCK_MS,
      parentHash:
        height === 1n ? this.network.genesisHash : blockHashOf(this.at(height - 1n).header),
      lastCertRoot: sha256(utf8(`cert/${height}`)),
      txRoot: sha256(utf8(`txs/${height}/${forked}`)),
      validatorsHash: validatorsType.hashTreeRoot(setOf(set)),
      nextValidatorsHash: validatorsType.hashTreeRoot(setOf(names(height + 1n))),
      paramsHash: sha256(utf8('params')),
      appHash: this.appHash,
      resultsHash: sha256(utf8('results')),
      proposer: setOf(set)[0]!.publicKey,
      reveal: new Uint8Array(0)
    }
    return this.sign(header, set, signers?.(height, set) ?? set)
  }
}

/** A source over a chain that counts what it is asked. */
export function sourceOf(
  id: string,
  chain: Pick<LightChain, 'at'>,
  newest: bigint
): LightSource & { asked: bigint[] } {
  const asked: bigint[] = []
  return {
    id,
    asked,
    lightBlock: async height => {
      const wanted = height === 'newest' ? newest : height
      asked.push(wanted)
      return chain.at(wanted)
    }
  }
}

function certOf(
  network: NetworkId,
  header: Header,
  names: readonly string[],
  by: readonly string[]
): Certificate {
  const { finalize: kind } = VOTE_KINDS
  const { height } = header
  const vote = { ...network, kind, height, view: 1n, blockHash: blockHashOf(header) }
  const votes = by.map(name => ({
    index: names.indexOf(name),
    signature: signVote(voteKeyOf(name.split('=')[0]!), vote)
  }))
  return makeCertificate(vote, setOf(names), votes)
}

const ACCOUNTS = AUTHENTICATED_TABLES.get('accounts')!

/** Some accounts and what they have. */
export const RECORDS: readonly { key: Uint8Array; value: Uint8Array }[] = Array.from(
  { length: 50 },
  (_, i) => ({
    key: sha256(utf8(`holder/${i}`)),
    value: ACCOUNTS.type.serialize({
      balanceUnits: BigInt(i),
      nonce: 0n,
      escrowUnits: 0n,
      collateralUnits: 0n
    })
  })
)
