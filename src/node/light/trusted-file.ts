/** `light.json`: the newest block that the light client of a home trusts. What is in it is checked again. */
import { z } from 'zod'
import { fromHex, toHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import {
  decodeLightBlock,
  encodeLightBlock,
  type NetworkId,
  type Trusted,
  trustCheckpoint
} from '../../ledger/index.ts'
import { readJsonFile, writeFileAtomic } from '../home-files.ts'

const schema = z.object({
  height: z.int().min(1),
  blockHash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Base64. */
  block: z.string()
})

/** Undefined when there is none, or one of another network. */
export async function readTrusted(file: string, network: NetworkId): Promise<Trusted | undefined> {
  try {
    const parsed = schema.safeParse(await readJsonFile(file))
    if (!parsed.success) return undefined
    const { height, blockHash, block } = parsed.data
    const checkpoint = { height: BigInt(height), blockHash: fromHex(blockHash) }
    const bytes = new Uint8Array(Buffer.from(block, 'base64'))
    return trustCheckpoint(network, checkpoint, decodeLightBlock(bytes))
  } catch (error) {
    // damaged, or of a network that was in this home before: the genesis is as good a start
    if (HoldfastError.is(error)) return undefined
    throw error
  }
}

export async function writeTrusted(
  file: string,
  { height, blockHash, block }: Trusted
): Promise<void> {
  if (block === undefined) return
  const content = {
    height: Number(height),
    blockHash: toHex(blockHash),
    block: Buffer.from(encodeLightBlock(block)).toString('base64')
  }
  await writeFileAtomic(file, `${JSON.stringify(content)}\n`)
}
