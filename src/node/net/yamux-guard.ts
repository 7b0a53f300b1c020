/**
 * yamux 8.0.3 collects a whole data frame before it looks at the stream's window, so a peer could announce a frame of
 * 4 GiB and have it buffered. No honest frame exceeds a window: this watches the frame headers go by, ahead of the
 * muxer, and ends the connection at a longer one. Headers are 12 bytes: version, type, flags u16, stream u32, length
 * u32.
 */
import type { MessageStream, StreamMessageEvent, StreamMuxerFactory } from '@libp2p/interface'
import { HoldfastError } from '../../base/errors.ts'
import { STREAM_WINDOW_BYTES_MAX } from './limits.ts'

const HEADER_BYTES = 12
const LENGTH_OFFSET = 8
const DATA_FRAME = 0

export function guardedMuxer(inner: StreamMuxerFactory): StreamMuxerFactory {
  return {
    protocol: inner.protocol,
    createStreamMuxer: connection => {
      const check = frameLengthCheck()
      connection.addEventListener('message', event => watch(connection, event, check))
      return inner.createStreamMuxer(connection)
    }
  }
}

function watch(
  connection: MessageStream,
  event: StreamMessageEvent,
  check: (bytes: Uint8Array) => boolean
): void {
  const parts = event.data instanceof Uint8Array ? [event.data] : event.data
  for (const part of parts) {
    if (check(part)) continue
    event.stopImmediatePropagation()
    connection.abort(new HoldfastError('PROTOCOL_VIOLATION', 'muxer frame above the window'))
    return
  }
}

/** A check to be fed all bytes of a connection in order: false at a data frame longer than a window. */
export function frameLengthCheck(): (bytes: Uint8Array) => boolean {
  const header = new Uint8Array(HEADER_BYTES)
  const view = new DataView(header.buffer)
  let headerBytes = 0
  let bodyBytesLeft = 0
  return bytes => {
    let at = 0
    while (at < bytes.length) {
      const skipped = Math.min(bodyBytesLeft, bytes.length - at)
      bodyBytesLeft -= skipped
      at += skipped
      if (at === bytes.length) break
      const taken = Math.min(HEADER_BYTES - headerBytes, bytes.length - at)
      header.set(bytes.subarray(at, at + taken), headerBytes)
      headerBytes += taken
      at += taken
      if (headerBytes < HEADER_BYTES) continue
      headerBytes = 0
      if (header[1] === DATA_FRAME) bodyBytesLeft = view.getUint32(LENGTH_OFFSET)
      if (bodyBytesLeft > STREAM_WINDOW_BYTES_MAX) return false
    }
    return true
  }
}
