import { bootstrapAddresses } from '../config/bootstrap-addresses.ts'
import type { Config } from '../config/schema.ts'
import type { NetworkConfig } from './types.ts'

/** The configuration's own keys, and the source document's `sync.mesh.peers`, as the network takes them. */
export function networkConfig(config: Config): NetworkConfig {
  const { network, security } = config
  return {
    listen: network.listen,
    announce: network.announce,
    bootstrap: bootstrapAddresses(config),
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
