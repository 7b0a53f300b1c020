/** What a child process of the bench and its parent tell each other over IPC. */
import process from 'node:process'

export interface ReadyMessage {
  event: 'ready'
  /** Port of a TCP child, multiaddr of a Net child; empty for a child that nobody dials. */
  address: string
}

export type ChildMessage = ReadyMessage | { event: 'cpu'; micros: number } | { event: 'sent' }
/** The parent asks for the CPU time used so far, or for a transfer. A child ends when the parent is gone. */
export type ParentMessage = 'cpu' | { sendBytes: number }

/** @param send of a child that sends: moves as many bytes and resolves when the other end has them */
export function serveParent(address: string, send?: (bytes: number) => Promise<void>): void {
  process.on('message', (message: ParentMessage) => {
    if (message === 'cpu') {
      const { user, system } = process.cpuUsage()
      tell({ event: 'cpu', micros: user + system })
    } else {
      // a failure is unhandled and ends this process: the parent sees that
      void send?.(message.sendBytes).then(() => tell({ event: 'sent' }))
    }
  })
  process.on('disconnect', () => process.exit())
  process.on('SIGINT', () => {}) // Ctrl-C goes to the parent, which ends its children
  tell({ event: 'ready', address })
}

function tell(message: ChildMessage): void {
  process.send?.(message)
}
