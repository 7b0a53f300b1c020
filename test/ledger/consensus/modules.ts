/** The parts under test in one place, so that a mutant of them can take their place. */
export { makeCertificate, quorumOf } from '../../../src/ledger/certificate.ts'
export { isShaped } from '../../../src/ledger/consensus/certs.ts'
export { createHeight, step } from '../../../src/ledger/consensus/core.ts'
export { createSigner, decodeRecord } from '../../../src/ledger/consensus/signer.ts'
export { leaderTimeoutMs, viewTimeoutMs } from '../../../src/ledger/consensus/timeouts.ts'
export { realVerifier, voteOf } from '../../../src/ledger/consensus/verifier.ts'
