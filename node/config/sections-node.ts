import { isMultiaddr, multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import { isIP } from 'node:net'
import { z } from 'zod'
import { cellSchema } from '../../protocols/admission/index.ts'

/** The sections of ours. Every key carries the text that the configuration reference is made of. */

/** Blocks over 2 MiB hang a peer's bitswap; the limit can only be lowered. */
export const MAX_BLOCK_BYTES = 2_097_152
const DAG_CBOR = 0x71
const ROLES = ['full', 'light', 'witness', 'relay'] as const

const flag = (initial: boolean, description: string) => z.boolean().default(initial).describe(description)
const count = (initial: number, min: number, max: number, description: string) =>
  z.number().int().min(min).max(max).default(initial).describe(description)
const addresses = z.array(z.string().refine(isAddress, { error: 'a multiaddr such as /ip4/127.0.0.1/tcp/18789' }))

export const node = z
  .strictObject({
    role: z.enum(ROLES).default('full').describe('What this node runs; its certificate must give the role.'),
    cell: cellSchema.default('home').describe('The cell (one operator’s nodes) that this node belongs to.'),
  })
  .prefault({})
  .describe('This node’s place in the mesh.')

export const network = z
  .strictObject({
    listen: addresses.default(['/ip4/127.0.0.1/tcp/18789']).describe('Addresses to listen on; empty: dial only.'),
    announce: addresses.default([]).describe('Addresses told to others in place of those listened on.'),
    bootstrap: addresses.default([]).describe('Members to dial at start.'),
    mdns: flag(false, 'Look for members on the local network.'),
    relay: z
      .strictObject({
        enabled: z
          .boolean()
          .exactOptional()
          .describe('Serve (relay role) or use (light role) circuit relay; by default as the role says.'),
        max_reservations: count(128, 1, 10_000, 'Members that may hold a reservation at once, when serving.'),
        max_duration_s: count(3600, 1, 86_400, 'Longest relayed connection, seconds.'),
        max_data_bytes: count(1_073_741_824, 1024, Number.MAX_SAFE_INTEGER, 'Most bytes over one relayed connection.'),
      })
      .prefault({})
      .describe('Circuit relay, for members only.'),
    allow_ranges: z
      .array(z.string().refine(isRange, { error: 'an address range such as 10.0.0.0/8' }))
      .default([])
      .describe('The operator’s own address ranges: looser limits per address. Loopback always is.'),
    max_connections: count(1000, 1, 2000, 'Connections at once, both directions.'),
  })
  .prefault({})
  .describe('Peer-to-peer network.')

export const api = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1').describe('Address that the HTTP API listens on.'),
    port: count(3333, 0, 65_535, 'Port of the HTTP API; 0 takes a free one.'),
    insecure_listen: flag(false, 'Allow an address other than loopback without TLS.'),
    allow_hosts: z
      .array(z.string().min(1))
      .default([])
      .describe('Names, besides the address itself, that Host and Origin may carry.'),
    tls: z
      .strictObject({
        cert: z.string().min(1).describe('File with the certificate chain, PEM.'),
        key: z.string().min(1).describe('File with its key, PEM.'),
      })
      .exactOptional()
      .describe('TLS of the HTTP API.'),
  })
  .prefault({})
  .describe('HTTP API, metrics and health.')

export const phase = z
  .strictObject({
    rate_s: z.number().min(0.2).max(60).default(1).describe('Seconds between two phase reports.'),
    stale_periods: count(3, 1, 100, 'A report older than this many periods is out.'),
  })
  .prefault({})
  .describe('Phase reports.')

export const mesh = z
  .strictObject({
    keep_epochs: z
      .number()
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .exactOptional()
      .describe('Newest epochs that are kept, 0 for all; by default 100000, on a light node 64. A witness keeps all.'),
    checkpoint: z
      .string()
      .refine(isCheckpoint, { error: 'HEIGHT:CID of an epoch, such as 1200:bafyrei…' })
      .exactOptional()
      .describe(
        'An epoch that somebody trusted has told, one of every 256th: a fresh node begins there, not at the genesis.',
      ),
    propose_timeout_s: z
      .number()
      .min(0.1)
      .max(60)
      .default(1)
      .describe('How long validators wait for a proposal, seconds; each round that fails adds half of it.'),
  })
  .prefault({})
  .describe('The mesh’s record: epochs that its validators agree on.')

export const content = z
  .strictObject({
    path: z.string().min(1).exactOptional().describe('Directory of the blocks; by default `blocks` in storage.path.'),
    quota_bytes: count(10_737_418_240, 0, Number.MAX_SAFE_INTEGER, 'Most bytes of blocks kept.'),
    max_block_bytes: count(MAX_BLOCK_BYTES, 1024, MAX_BLOCK_BYTES, 'Largest block accepted.'),
  })
  .prefault({})
  .describe('Content-addressed storage.')

export const pins = z
  .strictObject({
    repair: flag(true, 'While this node leads its cell: replace copies that are lost.'),
    rebalance: flag(true, 'Also move pins from the fullest members to those that hold far fewer.'),
    repair_grace_s: count(600, 1, 604_800, 'A member that was away for so long, seconds, has lost its copies.'),
    repair_moves_per_minute: count(600, 1, 1_000_000, 'Most copies moved in a minute.'),
    audit_period_s: count(43_200, 1, 31_536_000, 'Each copy proves itself about once in so many seconds.'),
  })
  .prefault({})
  .describe('The agreed pinset.')

export const storage = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Directory of the database and the blocks; by default the node’s own.'),
  })
  .prefault({})
  .describe('The database.')

function isAddress(text: string): boolean {
  try {
    return isMultiaddr(multiaddr(text)) && text !== '/'
  } catch {
    return false
  }
}

function isCheckpoint(text: string): boolean {
  const [height = '', cid = '', ...rest] = text.split(':')
  if (rest.length > 0 || !/^[1-9]\d{0,15}$/.test(height)) return false
  try {
    return CID.parse(cid).code === DAG_CBOR
  } catch {
    return false
  }
}

function isRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const width = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return rest.length === 0 && bits !== undefined && /^\d{1,3}$/.test(bits) && Number(bits) <= width
}
