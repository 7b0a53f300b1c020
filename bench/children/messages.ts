/** What a child process of the bench and its parent tell each other over IPC. */
import process from 'node:process'

export interface ReadyMessage {
  event: 'ready'
  /** Port of a TCP child, multiaddr of a Net child. */
  address: string
}

export type ChildMessage = ReadyMessage | { event: 'cpu'; micros: number }
/** The parent asks for the CPU time used so far. A child ends when the parent is gone. */
export type ParentMessage = 'cpu'

export function serveParent(address: string): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    tell({ event: 'cpu', micros: user + system })
  })
  process.on('disconnect', () => process.exit())
  process.on('SIGINT', () => {}) // Ctrl-C goes to the parent, which ends its children
  tell({ event: 'ready', address })
}

function tell(message: ChildMessage): void {
  process.send?.(message)
}
