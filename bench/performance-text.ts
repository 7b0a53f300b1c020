/** What docs/PERFORMANCE.md says about each area: what limits it, and how far that limit is. */

export interface Section {
  title: string
  /** First part of the names of its rows. */
  area: string
  text: string
}

export const SECTIONS: readonly Section[] = [
  {
    title: 'Erasure coding',
    area: 'erasure',
    text: `
Reed–Solomon over GF(2⁸), the same bytes as klauspost and Backblaze. The kernels are WebAssembly SIMD made from AssemblyScript by
\`npm run build:wasm\`; no native code. Encoding follows a truncated additive FFT, whose number of multiplications grows like
n · log n where a matrix needs k · (n − k); decoding of scattered losses is a matrix of Lagrange rows, and runs of lost shares
go through the FFT too.

**What limits it.** At 4/8 memory: two loads and a store per 16 bytes. At 29/80 the table lookups: one \`i8x16.swizzle\` pair
per 16 bytes and multiplication, at one per cycle and port. AVX2 does 32 bytes per instruction and AVX-512 64, so a native
matrix kernel starts two to four times ahead per instruction; the FFT has a sixth of its multiplications at 29/80, and that is why
it wins there. \`api=arena\` works in the kernel's own memory; \`api=copy\` pays two copies, which at 4/8 cost more than the code.
\`decode\` loses scattered data shares, \`decode-run\` neighbouring ones. ISA-L and klauspost are compiled when their sources can
be had, and are skipped, with the reason, when they cannot.`
  },
  {
    title: 'Hashing',
    area: 'hash',
    text: `
BLAKE3 as a tree whose inner nodes are kept, four chunks at a time; SHA-256 of pairs for PieceCIDs, four lanes.

**What limits it.** BLAKE3 has no lookup; a 16-byte lane is half of what AVX2 has, so native BLAKE3 is some four times faster,
and node:crypto's SHA-256 (with the CPU's SHA instructions) is just as fast. SHA-256 without those instructions takes ten times
the operations: \`@chainsafe/hashtree\`, native, is used for PieceCIDs when it is installed.`
  },
  {
    title: 'Piece commitments',
    area: 'commitment',
    text: 'Roots of whole pieces as a put makes them, the upper tree included.'
  },
  {
    title: 'Encryption',
    area: 'aead',
    text: `
AES-256-GCM of node:crypto, one message per stripe into the arena. The limit is OpenSSL; the difference to \`node-gcm\` (one
message of the whole segment) is the cost of a call and a tag per stripe, which range reads need.`
  },
  {
    title: 'A put on one core',
    area: 'put',
    text: `
Encrypt, encode and commit of whole segments at 29/80, as the worker threads do it. Of every byte 2.76 are made and hashed: the
hash alone, at the speed of node's SHA-256, bounds the ratio at 0.36; coding takes 0.7 of the hash's time, encryption the rest.
\`two-workers\` is wall time: two threads on two cores that also run everything else.`
  },
  {
    title: 'The wire',
    area: 'transfer',
    text: `
Pieces between two processes on loopback, over \`n\` streams of one connection, beside the same bytes through a bare TCP
socket, Node's TLS, and unmodified libp2p with Noise and with its own TLS. TLS 1.3 runs on the kernel's socket (ADR 10). A byte is copied
twice by us: into a reused write buffer together with its muxer header, and out of a TLS record into the reader's memory. Nothing in
bulk is freshly allocated except the record buffers that Node makes, and those are freed as soon as they are copied; leaving them
to the garbage collector had doubled the receiver's time.

**What limits it.** Node's TLS itself, whose reader takes 16 KiB at a time: receiving costs us no more than a plain \`node:tls\`
reader. The rest is the sender, at some 1.0 s of CPU per GiB against 0.5 of plain TLS: libp2p's stream machinery per frame of
128 KiB, and the window updates that come back. Bulk code reads with \`readInto\` into memory of its own; \`readSome\` costs two to
three times as much.
`
  },
  {
    title: 'Proofs',
    area: 'proof',
    text: 'Opening and verifying drawn leaves, beside verifying one Ed25519 signature.'
  },
  {
    title: 'The piece store',
    area: 'store',
    text: 'Synced before it acknowledges, as a provider does, beside plain files under the same policy.'
  },
  {
    title: 'The ledger',
    area: 'ledger',
    text: `
Executing blocks: signature, checks, state tree, one synced write. \`n\` is transactions per block. Beside verifying one Ed25519
signature, which every transaction needs.`
  },
  {
    title: 'Consensus',
    area: 'consensus',
    text: 'Validators as processes on loopback: time between blocks and to finality, transfers per second.'
  },
  {
    title: 'Ledger state',
    area: 'ledger-state',
    text: `
A commit of 200 changes against how many records there are, and joining by snapshot against replaying every block.`
  },
  {
    title: 'Cold start and memory',
    area: 'start',
    text: 'Until a kernel has given its first result, in a fresh process, and the WebAssembly memory of one worker.'
  },
  {
    title: 'A network on one machine',
    area: 'devnet',
    text: `
put and get through the command on a devnet, beside copying n/k times the bytes (put) or the bytes (get) over node:tls to as many
processes. All providers share the client's two cores and one disk, so this measures the sum of everybody's work, which a real network
spreads over machines: a put hashes every expanded byte at both ends, checks it on disk and syncs it.`
  },
  {
    title: 'Memory of a client',
    area: 'memory',
    text: 'Resident memory of the client daemon above idle while it stores and reads.'
  }
]
