/** What no run of honest validators may show, judged without the code under test. */
import { equal, toHex } from '../../../src/base/bytes.ts'
import { ZERO_HASH } from '../../../src/base/hash.ts'
import type { SignedProposal, SignedVote } from '../../../src/ledger/consensus/types.ts'
import type { Certificate } from '../../../src/ledger/types/block.ts'
import { notarize, nullify } from './support.ts'

export class Audit {
  readonly problems: Set<string> = new Set()
  /** Every certificate that anybody held, by kind, view and block. */
  readonly certs: Map<string, Certificate> = new Map()
  readonly #statements = new Map<string, string>()

  problem(text: string): void {
    this.problems.add(text)
  }

  /** The same at most one value in the whole run. */
  once(what: string, value: string): void {
    const known = this.#statements.get(what)
    if (known !== undefined && known !== value) this.problem(`twice: ${what}`)
    this.#statements.set(what, value)
  }

  /** By an honest validator. */
  vote(name: string, { kind, view, blockHash }: SignedVote): void {
    this.once(`${name} votes ${kind} in ${view}`, toHex(blockHash))
    if (kind !== notarize) this.once(`${name} nullifies or finalizes ${view}`, String(kind))
  }

  /** By an honest validator. */
  proposal(name: string, { view, blockHash, base }: SignedProposal): void {
    this.once(`${name} proposes in ${view}`, `${toHex(blockHash)}/${base}`)
  }

  certificate(cert: Certificate): void {
    const { kind, view, blockHash } = cert
    this.certs.set(`${kind}/${view}/${toHex(blockHash)}`, cert)
    if (kind === notarize) this.once(`notarization of ${view}`, toHex(blockHash))
    else this.once(`nullification or finalization of ${view}`, String(kind))
  }

  /** A block after another notarized one needs the nullification of the view of that one. */
  checkChain(): void {
    const notarizations = [...this.certs.values()].filter(({ kind }) => kind === notarize)
    for (const late of notarizations) {
      for (const early of notarizations) {
        if (early.view >= late.view || equal(early.blockHash, late.blockHash)) continue
        const nullification = `${nullify}/${early.view}/${toHex(ZERO_HASH)}`
        if (!this.certs.has(nullification))
          this.problem(`fork: view ${late.view} justifies nothing`)
      }
    }
  }
}
