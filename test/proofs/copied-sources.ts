/** A copy of a part of the sources, in which kernels can be spoiled. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const ROOT: string = join(import.meta.dirname, '../..')

export interface CopiedSources {
  /** Imports a file below src/ of the copy. */
  load<Module>(file: string): Promise<Module>
  /** Overwrites the builds of one kind, so that no engine takes them. */
  spoil(build: 'relaxed' | 'standard'): void
  /** As before `npm run build:wasm`. */
  removeBuilds(): void
  /** Moves src/ to dist/src/, as in the published package. */
  publish(): void
  remove(): void
}

/** With src/base, src/proofs, the kernels, and of the packages only those that hashing and names need. */
export function copySources(): CopiedSources {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-proofs-'))
  let sources = join(folder, 'src')
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  for (const part of ['src/base', 'src/proofs', 'wasm/build']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  }
  mkdirSync(join(folder, 'node_modules'))
  for (const name of ['multiformats', '@noble']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  }
  return {
    load: file => import(pathToFileURL(join(sources, file)).href),
    spoil: build => {
      for (const module of ['blake3', 'piece-cid']) {
        writeFileSync(join(folder, `wasm/build/${module}-${build}.wasm`), 'not for this machine')
      }
    },
    removeBuilds: () => rmSync(join(folder, 'wasm'), { recursive: true }),
    publish: () => {
      cpSync(sources, join(folder, 'dist/src'), { recursive: true })
      rmSync(sources, { recursive: true })
      sources = join(folder, 'dist/src')
    },
    remove: () => rmSync(folder, { recursive: true })
  }
}
