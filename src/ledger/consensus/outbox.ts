/** What a turn wants to say. Nothing in here leaves before the turn is durable. */
import type { ConsensusNet, ConsensusRandom } from './ports.ts'
import type { Message, Sender } from './types.ts'
import { encodeMessage } from './wire.ts'

/** Peers that are asked at once (R8). */
export const ASK_PEERS = 3

type Letter = { to: Sender | 'validators' | 'some'; messages: Message[] }

export class Outbox {
  readonly #net: ConsensusNet
  readonly #random: ConsensusRandom
  #letters: Letter[] = []

  constructor(net: ConsensusNet, random: ConsensusRandom) {
    this.#net = net
    this.#random = random
  }

  put(to: Sender | 'validators', message: Message): void {
    this.#letters.push({ to, messages: [message] })
  }

  /** To a few random peers. */
  putSome(messages: Message[]): void {
    this.#letters.push({ to: 'some', messages })
  }

  discard(): void {
    this.#letters = []
  }

  send(): void {
    const letters = this.#letters
    this.#letters = []
    for (const { to, messages } of letters) {
      const peers = to === 'some' ? this.#somePeers() : [to]
      for (const message of messages) {
        const bytes = encodeMessage(message)
        for (const peer of peers) {
          if (peer === 'validators') this.#net.broadcast(bytes)
          else this.#net.send(peer, bytes)
        }
      }
    }
  }

  #somePeers(): Sender[] {
    const peers = this.#net.peers()
    const chosen: Sender[] = []
    while (chosen.length < ASK_PEERS && peers.length > 0) {
      chosen.push(...peers.splice(this.#random.below(peers.length), 1))
    }
    return chosen
  }
}
