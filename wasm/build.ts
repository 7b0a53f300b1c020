/**
 * Compiles the kernels in wasm/assembly to wasm/build, each twice: with relaxed SIMD, and with standard SIMD for
 * engines without it. Which one runs is decided when it is loaded. Run by `npm run build:wasm`.
 */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import asc from 'assemblyscript/asc'

/** File name and entry points: the exports of all entry points end in one module. */
const MODULES: Record<string, readonly string[]> = {
  rs: ['assembly/rs-matrix.ts', 'assembly/rs-program.ts'],
  blake3: ['assembly/blake3.ts'],
  'piece-cid': ['assembly/sha256-pairs.ts', 'assembly/fr32.ts']
}

const BUILDS: Record<string, readonly string[]> = {
  standard: ['--enable', 'simd'],
  relaxed: ['--enable', 'simd', '--enable', 'relaxed-simd']
}

/** No runtime and no start code; the memory comes from the caller and ends at 8 MiB. */
const OPTIONS: readonly string[] = [
  ...['--runtime', 'stub', '--use', 'abort=', '--noAssert'],
  ...['-O3', '--converge'],
  ...['--importMemory', '--noExportMemory', '--initialMemory', '1', '--maximumMemory', '128']
]

const root = import.meta.dirname
mkdirSync(join(root, 'build'), { recursive: true })
for (const [module, entries] of Object.entries(MODULES)) {
  for (const [build, features] of Object.entries(BUILDS)) {
    const file = join('build', `${module}-${build}.wasm`)
    const args = [...entries, '--baseDir', root, '--outFile', file, ...OPTIONS, ...features]
    const { error, stderr } = await asc.main(args)
    if (error) {
      process.stderr.write(`${stderr.toString()}${error.message}\n`)
      process.exit(1)
    }
    process.stdout.write(`wasm/${file} ${statSync(join(root, file)).size} bytes\n`)
  }
}
