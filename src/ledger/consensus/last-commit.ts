/**
 * Finalize votes for the newest block that came after its quorum: the next proposer adds them to the certificate in its
 * block, so that nobody looks absent for being a little late.
 */
import { equal } from '../../base/bytes.ts'
import { makeCertificate, type SignedBy } from '../certificate.ts'
import type { Replica } from '../replica.ts'
import { type Certificate, VOTE_KINDS } from '../types/block.ts'
import type { SignedVote, Verifier } from './types.ts'

export class LastCommit {
  readonly #replica: Replica
  readonly #verifier: Verifier
  /** Of the block at `#height`, beyond those of its certificate; at most one per validator. */
  #late: SignedBy[] = []
  #height = 0n

  constructor(replica: Replica, verifier: Verifier) {
    this.#replica = replica
    this.#verifier = verifier
  }

  /** Keeps a vote that the certificate of the head could have. */
  add(vote: SignedVote): void {
    const { height } = this.#replica
    if (height !== this.#height) {
      this.#height = height
      this.#late = []
    }
    if (vote.height !== height || vote.kind !== VOTE_KINDS.finalize) return
    const { view, blockHash, signers } = this.#replica.certificate(height)!
    if (vote.view !== view || !equal(vote.blockHash, blockHash)) return
    const { validator: index, signature } = vote
    const voter = this.#replica.lastValidators()[index]
    if (voter === undefined || signers.get(index)) return
    if (this.#late.some(known => known.index === index)) return
    if (this.#verifier.vote(voter.publicKey, vote)) this.#late.push({ index, signature })
  }

  /** The finalization of the head with everything that was added. */
  certificate(): Certificate {
    const { height, network } = this.#replica
    const cert = this.#replica.certificate(height)!
    if (this.#late.length === 0 || this.#height !== height) return cert
    const { kind, view, blockHash, signers, signatures } = cert
    const known = signers.getTrueBitIndexes().map((index, i) => {
      return { index, signature: signatures[i]! }
    })
    const vote = { ...network, kind, height, view, blockHash }
    return makeCertificate(vote, this.#replica.lastValidators(), [...known, ...this.#late])
  }
}
