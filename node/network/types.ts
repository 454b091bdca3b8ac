import type { EventEmitter } from 'node:events'
import type { ComponentLogger, Ed25519PrivateKey, Libp2p, Metrics, PeerId } from '@libp2p/interface'
import type { GossipSub } from '@libp2p/gossipsub'
import type { Datastore } from 'interface-datastore'
import type { CID } from 'multiformats/cid'
import type { Role } from '../../protocols/admission/index.ts'
import type { PeerStatus } from '../../protocols/status/index.ts'
import type { Verdict } from '../../protocols/shared/verdict.ts'
import type { PeerRow } from '../operations.ts'
import type { Service } from '../service.ts'
import type { Sublevel } from '../storage/sublevel.ts'
import type { DhtNamespace } from './dht-datastore.ts'
import type { Membership } from './membership.ts'
import type { Allowance } from './token-bucket.ts'

/** The `network` section of the configuration, as this module needs it. */
export interface NetworkConfig {
  listen: string[]
  announce: string[]
  bootstrap: string[]
  mdns: boolean
  /** The operator's own ranges, with the looser limits; loopback always is. */
  allowRanges: string[]
  maxConnections: number
  transport: 'noise' | 'tls'
  relay: RelayConfig
}

export interface RelayConfig {
  /** Serve (relay role) or use (light role); what the role says when absent. */
  enabled?: boolean
  maxReservations: number
  maxDurationMs: number
  maxDataBytes: number
}

export interface GossipMessage {
  topic: string
  data: Uint8Array
  author: PeerId
  /** Who handed it to us: the author, or a peer that accepted it first. */
  carrier: PeerId
}

export interface TopicSpec {
  topic: string
  /** How much one author may say. */
  budget: Allowance
  /** Called for each message within budget that is no replay. Never throws. */
  validate(message: GossipMessage): Verdict
  /** Called for each accepted message, once. */
  deliver(message: GossipMessage): void
}

export interface NetworkInit {
  privateKey: Ed25519PrivateKey
  membership: Pick<Membership, 'meshId' | 'self' | 'host' | 'member' | 'members'>
  datastore: Datastore
  /** Bans, good peers and replay windows. */
  store: Pick<Sublevel, 'get' | 'put'>
  role: Role
  config: NetworkConfig
  topics: TopicSpec[]
  logger: ComponentLogger
  userAgent: string
  /** Of the software, told to peers. */
  version: string
  /** Names and CIDs of what this node's planes have reached. */
  heads?: () => Record<string, string>
  /** Record kinds that the DHT takes; without one it takes none. */
  dhtNamespaces?: Record<string, DhtNamespace>
  metrics?: (components: never) => Metrics
  /** Told of each gossip message that was judged. */
  onVerdict?: (topic: string, verdict: Verdict) => void
}

export type NetworkPeer = Omit<PeerRow, 'reportAgeSeconds'>

export interface NetworkEvents {
  connected: [peer: { peerId: string }]
  disconnected: [peer: { peerId: string }]
  banned: [ban: { peerId: string; until: number; score: number }]
  /** A peer and this node parted over status; `side` says who refused. */
  refused: [refusal: { peerId: string; code: string; side: 'local' | 'remote'; message: string }]
  status: [status: { peerId: string; status: PeerStatus }]
}

export interface Provider {
  peerId: string
  addresses: string[]
}

export interface Network extends Service {
  /** Made but not started until `start`: register protocol handlers before. */
  readonly libp2p: Libp2p
  readonly pubsub: GossipSub
  readonly events: EventEmitter<NetworkEvents>
  /** @throws {CodedError} E_GOSSIP_TOPIC for a topic that is not in `topics` */
  publish(topic: string, data: Uint8Array): Promise<void>
  /**
   * @param target - a multiaddr or a peer id
   * @returns the id of the peer
   * @throws {CodedError} the other side's refusal, E_PEER_BANNED, E_ADDRESS_INVALID or E_DIAL_FAILED
   */
  connect(target: string, signal: AbortSignal): Promise<string>
  /** Connected and known members. */
  peers(): Promise<NetworkPeer[]>
  status(peerId: string): PeerStatus | undefined
  /** Takes points (> 0) from a peer's score for what one of our own protocols saw; −80 in all is a ban. */
  penalise(peerId: string, points: number): void
  /** Tells the DHT that this node holds a content root. Never blocks on a lonely node: told when peers come. */
  provide(root: CID): void
  findProviders(root: CID, signal: AbortSignal): AsyncIterable<Provider>
}
