/**
 * Traces of simplex.qnt in the Informal Trace Format (Apalache, ADR 015): reading them, and cutting them down to what
 * replay.ts needs, one state per line.
 */

export type VoteKindName = 'notarize' | 'nullify' | 'finalize'

export interface Ballot {
  kind: VoteKindName
  view: number
  /** Empty for nullify. */
  value: string
}

export interface Offer {
  view: number
  base: number
  value: string
}

export interface Move {
  act: 'start' | 'propose' | 'notarize' | 'nullify' | 'learn' | 'restart'
  node: string
  /** Of the certificate that is learned. */
  kind: VoteKindName | ''
  view: number
  base: number
  value: string
}

/** An honest node. */
export interface ModelNode {
  view: number
  votes: Ballot[]
  proposals: Offer[]
  /** Empty while undecided. */
  decided: string
}

export interface ModelState {
  setup: { leaders: Map<number, string>; powers: Map<string, number> }
  nodes: Map<string, ModelNode>
  move: Move
}

const NODE_FIELDS = ['view', 'votes', 'proposals', 'decided'] as const

/** The states of a trace, the initial one first. @throws on anything that is no trace of simplex.qnt */
export function parseTrace(text: string): ModelState[] {
  const { states } = JSON.parse(text) as { states: Record<string, unknown>[] }
  return states.map(state => {
    const variables = variablesOf(state)
    for (const name of ['setup', 'nodes', 'move']) {
      if (!variables.has(name)) throw new Error(`the trace has no variable ${name}`)
    }
    return Object.fromEntries(variables) as unknown as ModelState
  })
}

/** The same trace without what can be derived: no time stamp, no certificates. */
export function compactTrace(text: string, instance: string): string {
  const lines = parseTrace(text).map(({ setup, nodes, move }) => {
    const kept = Array.from(nodes, ([name, node]) => [
      name,
      Object.fromEntries(NODE_FIELDS.map(field => [field, node[field]]))
    ])
    return JSON.stringify(encode({ move, nodes: new Map(kept as [string, unknown][]), setup }))
  })
  const meta = JSON.stringify({ format: 'ITF', source: 'model/simplex.qnt', instance })
  const head = `{"#meta":${meta},"vars":["move","nodes","setup"],"states":[`
  return `${head}\n${lines.join(',\n')}\n]}\n`
}

/** By their names without those of the modules. */
function variablesOf(state: Record<string, unknown>): Map<string, unknown> {
  const entries = Object.entries(state).filter(([name]) => name !== '#meta')
  return new Map(entries.map(([name, value]) => [name.split('::').at(-1)!, decode(value)]))
}

function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode)
  if (typeof value !== 'object' || value === null) return value
  if ('#bigint' in value) return Number(value['#bigint'])
  if ('#set' in value) return (value['#set'] as unknown[]).map(decode)
  if ('#map' in value) {
    const pairs = value['#map'] as [unknown, unknown][]
    return new Map(pairs.map(([key, item]) => [decode(key), decode(item)]))
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]))
}

/** Lists are sets here: the model has no sequences. */
function encode(value: unknown): unknown {
  if (Array.isArray(value)) return { '#set': value.map(encode) }
  if (value instanceof Map) {
    return { '#map': Array.from(value, ([key, item]) => [encode(key), encode(item)]) }
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encode(item)]))
}
