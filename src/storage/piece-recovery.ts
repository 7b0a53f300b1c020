/**
 * Brings files and index back together when a store opens. A crash can leave partial files and files without an index
 * entry: neither was ever acknowledged, both go. An index entry without its file, or with one of another length, is
 * damage from outside: it is reported and dropped, so that the provider can say what it has lost. Works shard by shard,
 * so memory stays small with millions of pieces.
 */
import { fromHex, toHex } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { PieceFiles } from './piece-files.ts'
import type { PieceIndex } from './piece-index.ts'
import type { StoredPiece } from './piece-store.ts'

const SHARDS = 256
/** File lengths asked for at once. */
const STATS_IN_FLIGHT_MAX = 64

export interface RecoveryReport {
  /** Partial files removed. */
  readonly partials: number
  /** Files removed because no index entry spoke of them. */
  readonly orphans: number
  /** Pieces that were acknowledged once and are gone: file missing or of the wrong length. */
  readonly lost: StoredPiece[]
  /** Names in shard folders that are not ours; left alone. */
  readonly foreign: string[]
}

/**
 * Calls `found` for every piece that is there.
 * @throws HoldfastError STORE_READ_ONLY when files and index do not belong together
 */
export async function recoverPieces(
  files: PieceFiles,
  index: PieceIndex,
  found: (piece: StoredPiece) => void
): Promise<RecoveryReport> {
  await checkBelongTogether(files, index)
  const partials = await files.prepare()
  const report: RecoveryReport = { partials, orphans: 0, lost: [], foreign: [] }
  let orphans = 0
  for (let shard = 0; shard < SHARDS; shard++) {
    orphans += await recoverShard(shard, files, index, found, report)
  }
  return { ...report, orphans }
}

/**
 * One half of the store without the other is far more likely a disk that is not mounted than a loss, and recovering
 * from it would delete the half that is there.
 */
async function checkBelongTogether(files: PieceFiles, index: PieceIndex): Promise<void> {
  const hasShards = await files.hasShards()
  if (await index.isNew()) {
    if (hasShards) {
      throw new HoldfastError('STORE_READ_ONLY', 'there are piece files, and no piece index', {
        hint: 'bring the piece index back; if it is lost, move the pieces folder away'
      })
    }
    await index.mark()
  } else if (!hasShards && !(await index.isEmpty())) {
    throw new HoldfastError('STORE_READ_ONLY', 'every piece file is missing', {
      hint: 'mount the disk with the pieces folder; if they are lost, delete the piece index'
    })
  }
}

/** Returns the number of files removed. */
async function recoverShard(
  shard: number,
  files: PieceFiles,
  index: PieceIndex,
  found: (piece: StoredPiece) => void,
  report: RecoveryReport
): Promise<number> {
  const { roots, foreign } = await files.shard(shard)
  report.foreign.push(...foreign)
  const unclaimed = new Set(roots)
  let batch: StoredPiece[] = []
  const checkBatch = async (): Promise<void> => {
    const lengths = await Promise.all(batch.map(piece => files.length(piece.root)))
    for (const [i, piece] of batch.entries()) {
      if (lengths[i] === piece.bytes) found(piece)
      else {
        await index.remove(piece.root)
        await files.remove(piece.root)
        report.lost.push(piece)
      }
    }
    batch = []
  }
  for await (const piece of index.pieces(shard)) {
    unclaimed.delete(toHex(piece.root))
    batch.push(piece)
    if (batch.length === STATS_IN_FLIGHT_MAX) await checkBatch()
  }
  await checkBatch()
  for (const rootHex of unclaimed) await files.remove(fromHex(rootHex))
  return unclaimed.size
}
