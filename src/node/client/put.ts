/**
 * A put, step by step: cut the stream into segments → seal and erasure-code each → commit to the pieces → upload them
 * to providers chosen by the market → count durable receipts → have every deal's revision signed by both → seal the
 * manifest → write the name. Nothing is acknowledged before the last step; a put that dies in between leaves an intent,
 * and the next start gives its pieces back.
 */

import { toHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import { SEGMENT_BYTES_DEFAULT, SEGMENTS_PER_OBJECT_MAX } from '../../base/limits.ts'
import { pieceIdOf } from '../../base/piece-id.ts'
import {
  formatProfile,
  type Manifest,
  manifestCid,
  normalisePath,
  parseProfile,
  type SegmentEntry,
  sealManifest
} from '../../storage/index.ts'
import type { PieceRow, PutRequest, PutResult } from '../control/types.ts'
import { agreeOnPieces } from './agree.ts'
import type { ClientContext } from './context.ts'
import { encodeSegments } from './encode.ts'
import type { Release } from './names.ts'
import { openObject } from './objects.ts'
import { Placement } from './placement.ts'
import { dropMap, makeRepairMap, publishMap } from './publish-map.ts'
import { releaseOf } from './remove.ts'
import { Transfer, type UploadedSegment } from './transfer.ts'

/** @throws HoldfastError of many kinds; whatever the error, no name was written and no object replaced */
export async function put(client: ClientContext, request: PutRequest): Promise<PutResult> {
  const path = normalisePath(request.path)
  const profile = parseProfile(request.profile ?? client.options.profile)
  const release = await claimPath(client, path, request.force ?? false)
  const signal = AbortSignal.any([client.signal, ...(request.signal ? [request.signal] : [])])
  const placement = await Placement.choose(client, profile, request.bytes ?? 0, signal)

  const intentId = toHex(client.random.bytes(16))
  const transfer = new Transfer(client, placement, { ...request, signal })
  const pathKey = client.keyring.pathKey(path)
  let stored: StoredSegment[]
  try {
    const encoding = { ...request, profile, pathKey, signal: transfer.signal }
    for await (const segment of encodeSegments(client, encoding)) {
      if (transfer.segments >= SEGMENTS_PER_OBJECT_MAX) throw tooLarge()
      transfer.add(segment)
    }
    assertLength(request, transfer.readBytes)
    placement.assertWithinBudget(transfer.readBytes)
    const uploaded = await transfer.finish()
    const agreement = { transfer, pathKey, intentId, signal: transfer.signal }
    stored = (await agreeOnPieces(client, uploaded, agreement)).map(storedSegment)
  } catch (error) {
    await transfer.cancel(error)
    client.releaser.abandon(intentId)
    throw error
  }

  const manifest: Manifest = {
    version: 1,
    bytes: transfer.readBytes,
    modifiedMs: client.clock.nowMs(),
    profile,
    segmentBytes: SEGMENT_BYTES_DEFAULT,
    segments: stored.map(({ entry }) => entry)
  }
  const sealed = sealManifest(manifest, pathKey, client.random)
  const map = await makeRepairMap(client, manifest)
  const record = {
    manifest: manifestCid(sealed),
    bytes: manifest.bytes,
    modifiedMs: manifest.modifiedMs,
    ...(map && { repairMap: map.cid })
  }
  await client.names.set(path, { record, manifest: sealed, intentId, ...(release && { release }) })
  client.releaser.end(intentId)
  if (release) void dropMap(client, release)
  if (map) await publishMap(client, map, signal)
  return {
    path,
    bytes: manifest.bytes,
    manifest: record.manifest,
    ...(map && { repairMap: map.cid }),
    profile: formatProfile(profile),
    segments: stored.length,
    pieces: stored.flatMap(({ rows }, segment) => rows.map(row => ({ ...row, segment })))
  }
}

interface StoredSegment {
  entry: SegmentEntry
  rows: Omit<PieceRow, 'segment'>[]
}

/**
 * What has to be given back if this put succeeds.
 * @throws HoldfastError ALREADY_EXISTS unless `force`
 */
async function claimPath(
  client: ClientContext,
  path: string,
  force: boolean
): Promise<Release | undefined> {
  const existing = await client.names.get(path)
  if (existing === undefined) return undefined
  if (!force) {
    throw new HoldfastError('ALREADY_EXISTS', `an object is already stored under ${path}`, {
      hint: 'use --force to replace it'
    })
  }
  return releaseOf(client, await openObject(client, path))
}

function storedSegment({
  layout,
  wrappedKey,
  commitments,
  holders
}: UploadedSegment): StoredSegment {
  const pieces = commitments.map(({ root }, index) => {
    const { account, deal } = holders[index]!
    return { root, provider: account, deal }
  })
  const rows = commitments.map(({ root, bytes }, index) => {
    const { peerId, deal } = holders[index]!
    return { index, pieceId: pieceIdOf(root), provider: peerId, deal: toHex(deal), bytes }
  })
  return {
    entry: { bytes: layout.plainBytes, wrappedKey, pieceBytes: layout.pieceBytes, pieces },
    rows
  }
}

function assertLength(request: PutRequest, readBytes: number): void {
  if (request.bytes !== undefined && request.bytes !== readBytes) {
    throw new HoldfastError(
      'SOURCE_CHANGED',
      `the source announced ${request.bytes} bytes and gave ${readBytes}`,
      { hint: 'put it again once nothing writes to it' }
    )
  }
}

function tooLarge(): HoldfastError {
  return new HoldfastError(
    'INVALID_ARGUMENT',
    `an object has at most ${SEGMENTS_PER_OBJECT_MAX} segments`
  )
}
