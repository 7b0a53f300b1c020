/**
 * Backpressure from a full connection to its streams. yamux 8.0.3 lets a stream send again at each window update of the
 * peer, also while the connection takes nothing more: all windows of all streams end up in the connection's memory, and
 * a peer that sends window updates without reading fills it without bound. Here a window update wakes nobody as long as
 * the connection is full; its `drain` does.
 *
 * What is sent to a full connection all the same (the first bytes of new streams, control frames) is copied. Encrypters
 * take all they are given, so that no bytes of a stream are referred to once its write buffer is empty.
 */
import type { MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'

export function gatedMuxer(inner: StreamMuxerFactory): StreamMuxerFactory {
  return {
    protocol: inner.protocol,
    createStreamMuxer: connection => {
      const send = connection.send.bind(connection)
      connection.send = data => send(connection.writableNeedsDrain ? data.slice() : data)
      const muxer = inner.createStreamMuxer(connection)
      // after the muxer's own listener, before the microtasks in which its streams send
      connection.addEventListener('message', () => holdBack(connection, muxer))
      return muxer
    }
  }
}

function holdBack(connection: MessageStream, muxer: StreamMuxer): void {
  if (!connection.writableNeedsDrain) return
  for (const stream of muxer.streams) stream.writableNeedsDrain = true
}
