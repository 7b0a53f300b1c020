/**
 * The consensus with one rule taken out: every row of ledger.md 1.4 and what 1.7 lists as commonly got wrong. A mutant
 * is made of the source by replacing marked text; text that is not there exactly once is an error, so that no mutant
 * goes stale unnoticed. It is loaded from a temporary folder and has the parts that a simulation puts into its driver.
 */
import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as real from './modules.ts'

export type Modules = typeof real

interface Edit {
  file: string
  find: string
  replace: string
}

/** How the damage shows: in what a run of many nodes says, or only in a check of its own (mutants.test.ts). */
export type Shows = 'fork' | 'twice' | 'stuck' | 'accused' | 'blamed' | 'memory' | 'own check'

export interface Mutant {
  name: string
  shows: Shows
  /** The set in whose schedules (schedule.ts) it shows soonest. */
  powers?: readonly bigint[]
  /** Schedules before this one show nothing; to be found anew, from 0, when schedules change. @default 0 */
  seed?: number
  edits: readonly Edit[]
}

const ROOT = join(import.meta.dirname, '../../..')

/** The changed parts; createHeight, step and createSigner are what the driver takes as its rules. */
export async function applyMutant({ name, edits }: Mutant): Promise<Modules> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-mutant-'))
  try {
    await mkdir(join(folder, 'src'))
    await cp(join(ROOT, 'src/ledger'), join(folder, 'src/ledger'), { recursive: true })
    for (const layer of ['base', 'proofs']) {
      await symlink(join(ROOT, 'src', layer), join(folder, 'src', layer))
    }
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    for (const edit of edits) await rewrite(folder, name, edit)
    return await load(join(folder, 'src/ledger'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function rewrite(folder: string, name: string, { file, find, replace }: Edit): Promise<void> {
  const path = join(folder, 'src/ledger', file)
  const text = await readFile(path, 'utf8')
  assert.equal(text.split(find).length, 2, `${name}: ${file} has this exactly once: ${find}`)
  await writeFile(
    path,
    text.replace(find, () => replace)
  )
}

async function load(ledger: string): Promise<Modules> {
  const parts: object[] = []
  for (const file of ['certs', 'core', 'signer', 'timeouts', 'verifier']) {
    parts.push(await import(pathToFileURL(join(ledger, 'consensus', `${file}.ts`)).href))
  }
  parts.push(await import(pathToFileURL(join(ledger, 'certificate.ts')).href))
  return Object.assign({}, ...parts) as Modules
}

/** @param file below src/ledger */
function edit(file: string, find: string, replace: string): Edit {
  return { file, find, replace }
}

/** A journal that nobody wrote: restarts know nothing of what was signed. */
const NO_JOURNAL: readonly Edit[] = [
  edit('consensus/core.ts', 'for (const vote of votes) keepVote(turn, vote)', ''),
  edit(
    'consensus/core.ts',
    'for (const proposal of proposals) holdOwnProposal(turn, proposal)',
    ''
  ),
  edit('consensus/core.ts', 'for (const vote of votes) tally(turn, vote)', ''),
  edit('consensus/signer.ts', 'of records) {', 'of records.slice(0, 0)) {')
]

const NO_DURABLE_CERTS = edit(
  'consensus/certs.ts',
  "effects.push({ type: 'persist-cert', cert })",
  ''
)

/** The signer lets everything pass: for mutants of the core that it would stop. */
const LAX_SIGNER = edit(
  'consensus/signer.ts',
  'height > this.height) return',
  'height > 0n) return'
)

const FOUR: readonly bigint[] = [1n, 1n, 1n, 1n]
const FIVE: readonly bigint[] = [1n, 1n, 1n, 1n, 1n]

export const mutants: readonly Mutant[] = [
  { name: 'no vote record before a vote leaves', shows: 'twice', edits: NO_JOURNAL },
  {
    name: 'certificates are not durable',
    shows: 'stuck',
    powers: FOUR,
    seed: 900,
    edits: [NO_DURABLE_CERTS]
  },
  {
    name: 'votes are told again, certificates are not kept',
    shows: 'stuck',
    edits: [
      NO_DURABLE_CERTS,
      edit('consensus/repeat.ts', 'add(finalization)\n', 'if (need.view >= 0n) return []\n')
    ]
  },
  {
    name: 'block bodies are not durable',
    shows: 'stuck',
    edits: [
      edit('consensus/state.ts', "effects.push({ type: 'persist-block', blockHash, block })", '')
    ]
  },
  {
    name: 'finalize after nullify',
    shows: 'fork',
    edits: [
      edit(
        'consensus/rules.ts',
        'if (own.hasNullified || own.hasFinalized) return\n  own.hasFinalized',
        'if (own.hasFinalized) return\n  own.hasFinalized'
      ),
      LAX_SIGNER
    ]
  },
  {
    name: 'proposals need no justification',
    shows: 'fork',
    powers: FOUR,
    edits: [
      edit('consensus/state.ts', "base >= view) return 'contradicted'", "view) return 'holds'")
    ]
  },
  {
    name: 'a quorum of 2f + 1',
    shows: 'fork',
    powers: FIVE,
    edits: [edit('certificate.ts', '(2n * power) / 3n', '2n * ((power - 1n) / 3n)')]
  },
  {
    name: 'a certificate needs no weight',
    shows: 'fork',
    edits: [edit('consensus/certs.ts', 'totalPower(by) >= quorumOf', '0n < quorumOf')]
  },
  {
    name: 'a second notarize in a view',
    shows: 'twice',
    edits: [
      edit(
        'consensus/proposals.ts',
        'if (first === undefined) {',
        'if (first === undefined || !isSame(first.signed, signed)) {'
      ),
      edit(
        'consensus/proposals.ts',
        '/** What the leader of the open view proposes;',
        'const votedFor = new WeakSet<object>()\n/** What the leader of the open view proposes;'
      ),
      edit('consensus/proposals.ts', 'ownAt(state, view).hasNotarized)', 'votedFor.has(held))'),
      edit('consensus/proposals.ts', 'ownAt(state, view).hasNotarized =', 'votedFor.add(held);'),
      LAX_SIGNER
    ]
  },
  {
    name: 'notarize and nullify of one view are evidence',
    shows: 'accused',
    edits: [edit('consensus/votes.ts', 'nullify) return finalize', 'nullify) return notarize')]
  },
  {
    name: 'carried blocks are checked again',
    shows: 'stuck',
    edits: [edit('consensus/proposals.ts', 'base === 0n && held.validity', 'held.validity')]
  },
  {
    name: 'leaders rebuild instead of carrying',
    shows: 'stuck',
    edits: [
      edit(
        'consensus/proposals.ts',
        'return { base: at, blockHash: notarization.blockHash, block }',
        'return { base: 0n }'
      ),
      edit(
        'consensus/proposals.ts',
        'justify.push(certsAt(state, at).nullification!)',
        'justify.push(...[certsAt(state, at).nullification].filter(cert => cert !== undefined))'
      )
    ]
  },
  {
    name: 'votes of another height count',
    shows: 'blamed',
    edits: [edit('consensus/votes.ts', 'vote.height !== height', 'vote.height < height')]
  },
  {
    name: 'votes of any later view are kept',
    shows: 'memory',
    edits: [edit('consensus/state.ts', 'view <= open + 1n &&', '')]
  },
  {
    name: 'a view that stands still does not ask',
    shows: 'stuck',
    edits: [
      edit('consensus/repeat.ts', "effects.push({ type: 'ask', need, have: haveOf(state) })", '')
    ]
  },
  {
    name: 'a view that takes too long stays open',
    shows: 'stuck',
    powers: FOUR,
    seed: 130,
    edits: [
      edit('consensus/core.ts', "if (timer === 'view') sayNullify(turn)", "if (timer === 'view') ;")
    ]
  },
  {
    name: 'timers that do not grow',
    shows: 'own check',
    edits: [edit('consensus/timeouts.ts', 'ms = withHalf(ms)', 'ms = leaderMs')]
  },
  {
    name: 'nullifications that do not sign their view',
    shows: 'own check',
    edits: [
      edit(
        'consensus/verifier.ts',
        'return { chainId, genesisHash, kind, height, view, blockHash }',
        'return { chainId, genesisHash, kind, height, view: kind === 2 ? 1n : view, blockHash }'
      )
    ]
  },
  {
    name: 'a signer that forgets that nullify and finalize exclude each other',
    shows: 'own check',
    edits: [
      edit(
        'consensus/signer.ts',
        'nullify) return VOTE_KINDS.finalize',
        'nullify) return undefined'
      )
    ]
  }
]
