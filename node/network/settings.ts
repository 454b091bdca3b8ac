import { isIP } from 'node:net'
import type { Config } from '../config/schema.ts'
import type { NetworkConfig } from './types.ts'

/** The configuration's own keys, and the source document's `sync.mesh.peers`, as the network takes them. */
export function networkConfig({ network, security, sync }: Config): NetworkConfig {
  const peers = sync.mesh_enabled ? sync.mesh.peers : []
  return {
    listen: network.listen,
    announce: network.announce,
    bootstrap: [...network.bootstrap, ...peers.map(addressOf)],
    mdns: network.mdns,
    allowRanges: network.allow_ranges,
    maxConnections: network.max_connections,
    transport: security.transport,
    relay: {
      ...(network.relay.enabled === undefined ? {} : { enabled: network.relay.enabled }),
      maxReservations: network.relay.max_reservations,
      maxDurationMs: network.relay.max_duration_s * 1000,
      maxDataBytes: network.relay.max_data_bytes,
    },
  }
}

function addressOf({ host, port }: { host: string; port: number }): string {
  const family = { 4: 'ip4', 6: 'ip6' }[isIP(host)] ?? 'dns'
  return `/${family}/${host}/tcp/${port}`
}
