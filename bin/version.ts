/** The version of this package, found from the checkout and from dist/ alike. */
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'

export function version(): string {
  const file = findPackageJSON(import.meta.url)
  if (file === undefined) throw new Error('package.json of holdfast is missing')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
