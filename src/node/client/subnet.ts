/** The network a peer is reached in: providers in one subnet tend to fail together. */

/** /24 of the first IPv4 address, /48 of the first IPv6 address, "loopback" or "unknown"; from multiaddr texts. */
export function subnetOf(addresses: readonly string[]): string {
  for (const address of addresses) {
    const [, family, host = ''] = address.split('/')
    if (family === 'ip4') {
      if (host.startsWith('127.')) return 'loopback'
      return `${host.split('.').slice(0, 3).join('.')}.0/24`
    }
    if (family === 'ip6') {
      if (host === '::1') return 'loopback'
      return `${host.split(':').slice(0, 3).join(':')}::/48`
    }
  }
  return 'unknown'
}
