/** The rules of docs and design as functions over a source tree. Each returns what is wrong, one line per finding. */
import { codeOf, importsOf, type SourceTree } from './source-tree.ts'

export const FILE_LINES_MAX = 300
/** Comments and texts; the formatter keeps code within 100. */
export const LINE_COLUMNS_MAX = 120

const ROLES = ['client', 'provider', 'validator', 'auditor', 'repairer', 'gateway'] as const

/** What the ledger may know of proofs: how they are checked, not how they are made. */
const PROOFS_FOR_LEDGER = /^src\/proofs\/(verify|challenge|opening)[\w-]*\.ts$/
/** The command is a client of the daemon, and the place where homes and networks are made. */
const FOR_BIN = [
  /^src\/index\.ts$/,
  /^src\/base\//,
  // a subpath of the package: pure, and light enough for a command without a daemon
  /^src\/proofs\/index\.ts$/,
  // the same: checks evidence offline
  /^src\/evidence\/browser\.ts$/,
  // and proof files
  /^src\/ledger\/light\/(proof-file|verify)\.ts$/,
  /^src\/node\/control\//,
  /^src\/node\/(home|config)[\w-]*\.ts$/,
  /^src\/node\/log\.ts$/,
  // started as a process of its own
  /^bench\/run\.ts$/,
  // genesis is made by commands, before there is any node
  /^src\/ledger\/(genesis|genesis-json|params|beacon)\.ts$/
]

/** Folder → folders of src that its files may import besides their own. `base` may import nothing. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  storage: ['base'],
  proofs: ['base'],
  ledger: ['base', 'proofs'],
  market: ['base', 'ledger'],
  // checks what the others made, offline
  evidence: ['base', 'storage', 'proofs', 'ledger'],
  node: ['base', 'storage', 'proofs', 'ledger', 'market', 'evidence']
}

/** base <- storage, proofs; proofs/verify <- ledger <- market <- node <- bin. */
export function layerProblems(tree: SourceTree): string[] {
  return everyImport(tree).flatMap(({ path, target, specifier }) => {
    const reason = target === undefined ? packageReason(path, specifier) : layerReason(path, target)
    return reason === undefined ? [] : [`${path} imports ${target ?? specifier}: ${reason}`]
  })
}

function layerReason(path: string, target: string): string | undefined {
  const from = path.split('/')
  const to = target.split('/')
  if (from[0] === 'bin') return binReason(target)
  if (to[0] !== 'src') return 'src stands on nothing but itself'
  if (from.length === 2) return undefined // src/index.ts: re-exports
  if (to.length === 2) return 'nothing inside src imports its entry point'
  const [layer, wanted] = [from[1]!, to[1]!]
  if (layer !== wanted && !MAY_IMPORT[layer]?.includes(wanted)) {
    return `${layer} may import ${MAY_IMPORT[layer]?.join(', ') || 'nothing of ours'}`
  }
  if (layer === 'ledger' && wanted === 'proofs' && !PROOFS_FOR_LEDGER.test(target)) {
    return 'the ledger sees only how proofs are checked'
  }
  return layer === 'node' && wanted === 'node' ? nodeReason(from, to) : undefined
}

function binReason(target: string): string | undefined {
  if (target.startsWith('bin/') || FOR_BIN.some(allowed => allowed.test(target))) return undefined
  return 'the command talks to the public API, the control API and the files of a home'
}

/** Inside the node: net at the bottom, then what roles share, then the roles, then the files of src/node itself. */
function nodeReason(from: readonly string[], to: readonly string[]): string | undefined {
  if (from.length === 3 || to.length === 3) return undefined
  const [ours, theirs] = [from[2]!, to[2]!]
  if (ours === theirs) return undefined
  if (ours === 'net') return 'net knows nothing else of the node'
  if (!isRole(theirs)) return undefined
  return isRole(ours) ? 'roles never import each other' : 'what roles share does not import a role'
}

function isRole(folder: string): boolean {
  return (ROLES as readonly string[]).includes(folder)
}

const NETWORK_PACKAGE =
  /^(libp2p|@libp2p\/.*|@chainsafe\/libp2p-.*|@multiformats\/multiaddr|node:(net|https?|http2|tls|dgram|dns)(\/.*)?)$/
const FILE_PACKAGE = /^node:fs(\/.*)?$/
/** Processes and threads are resources of the machine too. */
const PROCESS_PACKAGE = /^node:(child_process|cluster)$/

function packageReason(path: string, specifier: string): string | undefined {
  const inNode = path.startsWith('src/node/')
  const inBin = path.startsWith('bin/')
  if (/^(libp2p|@libp2p\/|@chainsafe\/libp2p|@multiformats\/)/.test(specifier)) {
    return path.startsWith('src/node/net/') ? undefined : 'libp2p stays inside src/node/net'
  }
  if (NETWORK_PACKAGE.test(specifier) && !inNode) return 'only src/node opens sockets'
  if (PROCESS_PACKAGE.test(specifier) && !inBin) return 'only bin starts processes'
  const mayReadFiles = path.startsWith('src/storage/') || path === KERNEL_LOADER
  if (FILE_PACKAGE.test(specifier) && !inNode && !inBin && !mayReadFiles) {
    return 'only src/storage and src/node touch files'
  }
  return undefined
}

/** Reads the kernels that ship with the package, for storage and proofs alike. */
const KERNEL_LOADER = 'src/base/wasm-module.ts'

/** Cycles of imports, types included: one line per strongly connected component. */
export function cycleProblems(tree: SourceTree): string[] {
  const reach = new Map([...tree.keys()].map(path => [path, reachableFrom(tree, path)]))
  const seen = new Set<string>()
  const problems: string[] = []
  for (const path of tree.keys()) {
    if (seen.has(path) || !reach.get(path)!.has(path)) continue
    const cycle = [...reach.get(path)!].filter(other => reach.get(other)?.has(path))
    for (const other of cycle) seen.add(other)
    problems.push(`import cycle: ${cycle.sort().join(', ')}`)
  }
  return problems
}

/** Everything that a file imports, directly or not; itself only when it lies on a cycle. */
function reachableFrom(tree: SourceTree, start: string): Set<string> {
  const found = new Set<string>()
  const open = [start]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const target of targetsOf(tree, path)) {
      if (found.has(target)) continue
      found.add(target)
      open.push(target)
    }
  }
  return found
}

const PROGRAM = 'bin/holdfast.ts'

const targetCache = new WeakMap<SourceTree, Map<string, string[]>>()

function targetsOf(tree: SourceTree, path: string): string[] {
  let cache = targetCache.get(tree)
  if (cache === undefined) {
    cache = new Map()
    for (const [file, text] of tree) {
      // the command starts itself as another process: its program is a child there, not an import
      const targets = importsOf(file, text)
        .map(({ target }) => target)
        .filter(target => target !== PROGRAM)
      cache.set(
        file,
        targets.filter(target => target !== undefined && tree.has(target)) as string[]
      )
    }
    targetCache.set(tree, cache)
  }
  return cache.get(path) ?? []
}

const OUTSIDE_WORLD: readonly [name: string, pattern: RegExp][] = [
  ['the wall clock', /\bDate\.now\b|\bnew Date\(\s*\)/],
  ['a clock', /\bperformance\.now\b|\bprocess\.hrtime\b/],
  [
    'randomness',
    /\bMath\.random\b|\b(randomBytes|randomInt|randomUUID|randomFill|getRandomValues)\b/
  ],
  ['a timer', /\b(setTimeout|setInterval|setImmediate)\b/],
  ['the environment', /\bprocess\.(env|argv|cwd|exit)\b/]
]

/** Time, randomness, timers and the environment are handed in everywhere but in src/node and bin. */
export function outsideProblems(tree: SourceTree): string[] {
  return [...tree].flatMap(([path, text]) => {
    if (path.startsWith('src/node/') || path.startsWith('bin/')) return []
    const lines = codeOf(text).split('\n')
    return lines.flatMap((line, i) =>
      OUTSIDE_WORLD.filter(([, pattern]) => pattern.test(line)).map(
        ([name]) => `${path}:${i + 1} uses ${name}`
      )
    )
  })
}

export function lengthProblems(tree: SourceTree): string[] {
  return [...tree].flatMap(([path, text]) => {
    const lines = text.replace(/\n$/, '').split('\n').length
    return lines > FILE_LINES_MAX ? [`${path} has ${lines} lines`] : []
  })
}

export function widthProblems(tree: SourceTree): string[] {
  return [...tree].flatMap(([path, text]) =>
    text.split('\n').flatMap((line, i) => {
      const columns = [...line].length
      return columns > LINE_COLUMNS_MAX ? [`${path}:${i + 1} has ${columns} columns`] : []
    })
  )
}

/** Node runs the files as they are: `.js` for a `.ts` passes the type checker and fails at run time. */
export function extensionProblems(tree: SourceTree): string[] {
  return everyImport(tree).flatMap(({ path, specifier, target }) =>
    target === undefined || specifier.endsWith('.ts')
      ? []
      : [`${path} imports ${specifier} without .ts`]
  )
}

export function nameProblems(tree: SourceTree): string[] {
  const part = /^[a-z0-9]+(-[a-z0-9]+)*$/
  return [...tree.keys()].filter(path => {
    const parts = path.replace(/(\.(test|bench))?\.ts$/, '').split('/')
    return !parts.every(name => part.test(name))
  })
}

/** Files of src that no entry point needs. */
export function deadFiles(tree: SourceTree, entryPoints: readonly string[]): string[] {
  const alive = new Set(entryPoints)
  for (const entry of entryPoints) for (const path of reachableFrom(tree, entry)) alive.add(path)
  return [...tree.keys()].filter(path => path.startsWith('src/') && !alive.has(path))
}

/** Paths of one machine. */
export function machinePathProblems(tree: SourceTree): string[] {
  return [...tree].flatMap(([path, text]) =>
    text.split('\n').flatMap((line, i) => {
      const found = /(?<![\w.])\/(work|tmp|home|Users|root)\//.exec(line)
      return found === null ? [] : [`${path}:${i + 1} names ${found[0]}`]
    })
  )
}

/** The codes of the union in errors.ts. */
export function errorCodesOf(errorsText: string): string[] {
  const [, union = ''] = /export type ErrorCode =([\s\S]*?)\n\n/.exec(errorsText) ?? []
  return [...union.matchAll(/^\s*\| '([A-Z_]+)'/gm)].map(([, code]) => code!)
}

/** Codes that the document does not list, and codes that it lists and nothing throws. */
export function errorDocProblems(codes: readonly string[], document: string): string[] {
  const listed = new Set([...document.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, code]) => code!))
  return [
    ...codes.filter(code => !listed.has(code)).map(code => `${code} is not in docs/ERRORS.md`),
    ...[...listed]
      .filter(code => code.includes('_') && !code.startsWith('HOLDFAST_') && !codes.includes(code))
      .map(code => `docs/ERRORS.md lists ${code}, which does not exist`)
  ]
}

interface PlacedImport {
  path: string
  specifier: string
  target: string | undefined
}

function everyImport(tree: SourceTree): PlacedImport[] {
  return [...tree].flatMap(([path, text]) =>
    importsOf(path, text).map(({ specifier, target }) => ({ path, specifier, target }))
  )
}
