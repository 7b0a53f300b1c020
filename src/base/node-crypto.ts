/**
 * node:crypto where there is one. Asked for instead of imported, so that what only verifies also runs in a browser,
 * where base/hash.ts and base/keys.ts fall back to @noble.
 */
import type * as NodeCrypto from 'node:crypto'

interface Runtime {
  process?: { getBuiltinModule?: (id: string) => unknown }
}

/** Undefined outside of Node. */
export const nodeCrypto: typeof NodeCrypto | undefined = (
  globalThis as Runtime
).process?.getBuiltinModule?.('node:crypto') as typeof NodeCrypto | undefined
