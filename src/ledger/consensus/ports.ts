/**
 * What the consensus driver asks of the world. The node binds these to sockets, disks and clocks; the simulator to
 * seeded ones. Nothing in src/ledger/consensus reaches for anything else.
 */
import type { Sender } from './types.ts'

export interface ConsensusClock {
  /** Wall clock. */
  nowMs(): number
  /** Calls `fire` once; the returned function takes it back. */
  setTimer(afterMs: number, fire: () => void): () => void
}

/** Uniform below `bound`; used for jitter and for whom to ask, never for anything that is agreed on. */
export interface ConsensusRandom {
  below(bound: number): number
}

/** Carries encoded messages (wire.ts). Loss, reordering and duplication are allowed; nothing here waits. */
export interface ConsensusNet {
  /** To every validator that is reachable. */
  broadcast(message: Uint8Array): void
  /** To one peer; dropped when it is gone. */
  send(to: Sender, message: Uint8Array): void
  /** Peers that can be asked now. */
  peers(): Sender[]
  /** One handler. Messages come bounded in length, otherwise as hostile as the peer. */
  onMessage(handler: (from: Sender, message: Uint8Array) => void): void
  /** The peer broke the protocol. */
  punish(peer: Sender, reason: string): void
}

/** An append-only file. */
export interface AppendFile {
  /** Everything that is there, torn tail included. */
  read(): Promise<Uint8Array>
  /** Cuts off the tail from `length` on, durably. */
  truncate(length: number): Promise<void>
  /** In order; not durable before the next `flush`. @throws on a disk error, after which the file takes no more */
  append(bytes: Uint8Array): Promise<void>
  flush(): Promise<void>
  close(): Promise<void>
}
