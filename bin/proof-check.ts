/** Checks a proof file offline and says what it shows. */
import { addressOf } from '../src/base/address.ts'
import { fromHex, toHex } from '../src/base/bytes.ts'
import { HoldfastError } from '../src/base/errors.ts'
import {
  decodeProofFile,
  type ProofTrust,
  type VerifiedFile,
  verifyProofFile
} from '../src/ledger/light/proof-file.ts'
import { CLOCK_DRIFT_MS_DEFAULT } from '../src/ledger/light/verify.ts'

export interface ProofCheck {
  /** Hex. */
  genesisHash: string
  checkpoint?: { height: bigint; blockHash: string }
  trustingPeriodMs: bigint
  nowMs: bigint
}

/** What a proof file shows to whoever trusts where it starts. */
export interface ProofReport {
  chainId: string
  genesisHash: string
  table: string
  /** An address where the table is of accounts, else hex. */
  key: string
  exists: boolean
  /** The record is that after this height. */
  height: number
  headerHash: string
  /** ISO 8601: time of the header above, as its proposer said. */
  time: string
  trustingPeriodMs: number
  /** The record; bytes in hex, integers of 64 bits as decimal strings. Null when there is none. */
  record: unknown
}

const TABLES_BY_ACCOUNT: ReadonlySet<string> = new Set(['accounts', 'providers'])

/** @throws HoldfastError PROOF_INVALID | BLOCK_INVALID | TRUST_EXPIRED | WRONG_NETWORK */
export function checkProof(bytes: Uint8Array, check: ProofCheck): ProofReport {
  const { genesisHash, trustingPeriodMs, nowMs } = check
  const rules = { nowMs, trustingPeriodMs, clockDriftMs: CLOCK_DRIFT_MS_DEFAULT }
  const found = verifyProofFile(bytes, trustOf(bytes, check), rules)
  return {
    chainId: found.chainId,
    genesisHash,
    table: found.table,
    key: keyText(found),
    exists: found.value !== undefined,
    height: Number(found.height),
    headerHash: toHex(found.headerHash),
    time: new Date(Number(found.headerTimeMs)).toISOString(),
    trustingPeriodMs: Number(trustingPeriodMs),
    record: found.value === undefined ? null : plain(found.value)
  }
}

function trustOf(bytes: Uint8Array, { genesisHash: hex, checkpoint }: ProofCheck): ProofTrust {
  const genesisHash = fromHex(hex)
  if (checkpoint === undefined) return { genesisHash }
  const [first] = decodeProofFile(bytes).blocks
  if (first === undefined) throw new HoldfastError('PROOF_INVALID', 'the proof file has no block')
  const { height, blockHash } = checkpoint
  // the hash of the checkpoint covers the name of the chain
  const network = { chainId: first.header.chainId, genesisHash }
  return { network, checkpoint: { height, blockHash: fromHex(blockHash) } }
}

function keyText({ table, key }: VerifiedFile): string {
  return TABLES_BY_ACCOUNT.has(table) && key.length === 32 ? addressOf(key) : toHex(key)
}

/** As JSON has it: bit lists and other classes do not occur in records that are proven by kind. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]))
}
