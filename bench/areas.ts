/** All areas, in the order in which they run: quick ones first. */
import { area as aead } from './aead.bench.ts'
import { area as commitment } from './commitment.bench.ts'
import { area as consensus } from './consensus.bench.ts'
import { area as devnet } from './devnet.bench.ts'
import { area as erasure } from './erasure.bench.ts'
import { area as hash } from './hash.bench.ts'
import { area as ledger } from './ledger.bench.ts'
import { millionArea as ledgerMillion, area as ledgerState } from './ledger-state.bench.ts'
import { area as memory } from './memory.bench.ts'
import { area as proof } from './proof.bench.ts'
import { area as put } from './put.bench.ts'
import { area as start } from './start.bench.ts'
import { area as store } from './store.bench.ts'
import { area as transfer } from './transfer.bench.ts'
import type { Area } from './types.ts'

export const AREAS: readonly Area[] = [
  ...[start, hash, commitment, aead, proof, erasure, put],
  ...[ledger, store, transfer, devnet, memory],
  ...[consensus, ledgerState, ledgerMillion]
]
