/** What the files of this folder share. */

/** One write of a batch; without a value the key is deleted. */
export interface Write {
  key: Uint8Array
  value?: Uint8Array
}
