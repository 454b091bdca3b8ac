import { isIP } from 'node:net'
import type { Config } from './schema.ts'

/** @returns multiaddrs to dial at start: network.bootstrap, and sync.mesh.peers where sync.mesh_enabled */
export function bootstrapAddresses(config: Config): string[] {
  const { mesh, mesh_enabled: meshEnabled } = config.sync
  const peers = meshEnabled ? mesh.peers.map(({ host, port }) => `/${protocolOf(host)}/${host}/tcp/${port}`) : []
  return [...new Set([...config.network.bootstrap, ...peers])]
}

function protocolOf(host: string): 'ip4' | 'ip6' | 'dns' {
  const version = isIP(host)
  return version === 4 ? 'ip4' : version === 6 ? 'ip6' : 'dns'
}
