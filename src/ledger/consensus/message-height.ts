/** Which height a message is about, whatever it is. */
import type { Message } from './types.ts'

/** The height that a message is about. */
export function heightOf(message: Message): bigint {
  switch (message.type) {
    case 'proposal':
      return message.proposal.height
    case 'vote':
      return message.vote.height
    case 'need':
      return message.need.height
    case 'have':
      return message.have.height
  }
}
