/**
 * `/tls/1.0.0`, the TLS handshake of libp2p (https://github.com/libp2p/specs/blob/master/tls/tls.md), with Node's TLS
 * on the socket itself; on the wire the same as @libp2p/tls, which passes every byte through JavaScript streams.
 */
import { createSecureContext, type SecureContext } from 'node:tls'
import type {
  ComponentLogger,
  ConnectionEncrypter,
  Logger,
  MessageStream,
  PrivateKey,
  SecureConnectionOptions,
  SecuredConnection
} from '@libp2p/interface'
import { serviceCapabilities } from '@libp2p/interface'
import { makeCertificate } from './certificate.ts'
import { handshake } from './handshake.ts'
import { SecuredStream } from './secured-stream.ts'

export const TLS_PROTOCOL = '/tls/1.0.0'

/** What libp2p hands to an encrypter. */
export interface TlsComponents {
  privateKey: PrivateKey
  logger: ComponentLogger
}

/** For `connectionEncrypters`. The certificate is made at the first connection and kept. */
export function nativeTls(): (components: TlsComponents) => ConnectionEncrypter {
  return components => new NativeTls(components)
}

class NativeTls implements ConnectionEncrypter {
  readonly protocol = TLS_PROTOCOL
  readonly [Symbol.toStringTag] = 'holdfast-tls'
  readonly [serviceCapabilities]: string[] = ['@libp2p/connection-encryption']
  readonly #privateKey: PrivateKey
  readonly #log: Logger
  #context: Promise<SecureContext> | undefined

  constructor({ privateKey, logger }: TlsComponents) {
    this.#privateKey = privateKey
    this.#log = logger.forComponent('holdfast:tls')
  }

  /** @throws HoldfastError as `handshake` */
  secureInbound(
    connection: MessageStream,
    options?: SecureConnectionOptions
  ): Promise<SecuredConnection> {
    return this.#secure(connection, true, options)
  }

  /** @throws HoldfastError as `handshake` */
  secureOutbound(
    connection: MessageStream,
    options?: SecureConnectionOptions
  ): Promise<SecuredConnection> {
    return this.#secure(connection, false, options)
  }

  async #secure(
    transport: MessageStream,
    isServer: boolean,
    options: SecureConnectionOptions = {}
  ): Promise<SecuredConnection> {
    this.#context ??= contextOf(this.#privateKey)
    const context = await this.#context
    const { remotePeer: expected, signal } = options
    const done = await handshake({ transport, isServer, context, expected, signal })
    if (!done.native) this.#log('no socket below the connection: TLS passes through JavaScript')
    return {
      connection: new SecuredStream(transport, done.socket),
      remotePeer: done.remotePeer
    }
  }
}

/** TLS 1.3 only, for both roles. */
async function contextOf(privateKey: PrivateKey): Promise<SecureContext> {
  const { certPem, keyPem } = await makeCertificate(privateKey, Date.now())
  return createSecureContext({
    cert: certPem,
    key: keyPem,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3'
  })
}
