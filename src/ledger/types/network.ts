/** The name of a network, and the two fields by which everything signed is bound to one network. */
import { asciiList, type Ssz } from './ssz.ts'

export const CHAIN_ID_BYTES_MAX = 32

export const chainIdType: Ssz<string> = asciiList(CHAIN_ID_BYTES_MAX)

export interface NetworkId {
  chainId: string
  /** 32 bytes. */
  genesisHash: Uint8Array
}

/** 1 to 32 of a-z, 0-9 and "-". */
export function isChainId(text: string): boolean {
  return /^[a-z0-9-]{1,32}$/.test(text)
}
