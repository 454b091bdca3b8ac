import { EventEmitter } from 'node:events'
import type { GossipSub } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { CID } from 'multiformats/cid'
import { refusalFrom } from '../../protocols/admission/index.ts'
import { CodedError, messageOf } from '../../protocols/shared/errors.ts'
import { PROTOCOL_VERSION, type PeerStatus } from '../../protocols/status/index.ts'
import type { Service } from '../service.ts'
import { AddressRanges, hostOf, LOOPBACK_RANGES, ownerOf } from './address-range.ts'
import { assembleLibp2p, type MeshLibp2p } from './assemble.ts'
import { loadBans, saveBans } from './ban-store.ts'
import { createGater } from './gater.ts'
import { INVALID_MESSAGE_WEIGHT, topicValidator } from './gossip.ts'
import { ScoreLedger } from './ledger.ts'
import { Neighbourhood } from './neighbourhood.ts'
import { PeerMemory } from './peer-memory.ts'
import { PeerStoreSweep } from './peer-store-sweep.ts'
import { listPeers } from './peers.ts'
import { readAddress } from './read-address.ts'
import { Reconnect } from './reconnect.ts'
import { reservationsOf } from './relay.ts'
import { ReplayWindow } from './replay-window.ts'
import { Roots } from './roots.ts'
import { StatusService } from './status-service.ts'
import type { Network, NetworkEvents, NetworkInit, NetworkPeer, Provider } from './types.ts'
import { LedgerShare, Watchdog } from './watchdog.ts'

const REPLAY_KEY = 'replay-windows'

/**
 * Builds the node's network: libp2p with its limits, gossip, DHT, relay as the role says. Nothing is
 * listened on or dialled before `start`.
 *
 * @throws {CodedError} of the storage
 */
export async function createNetwork(init: NetworkInit): Promise<Network> {
  const ledger = new ScoreLedger(Date.now, await loadBans(init.store))
  const share = new LedgerShare(ledger)
  const trusted = new AddressRanges([...LOOPBACK_RANGES, ...init.config.allowRanges])
  const memory = new PeerMemory(init.store)
  await memory.load()
  const replay = new ReplayWindow()
  const windows = await init.store.get(REPLAY_KEY)
  if (windows !== undefined) replay.restore(windows)
  let libp2p: MeshLibp2p | undefined
  const gater = createGater({
    trusted,
    ledger,
    now: Date.now,
    connections: (peerId) => libp2p?.getConnections(peerId) ?? [],
    reservations: () => reservationsOf(libp2p?.services['relay' as 'pubsub']),
  })
  libp2p = await assembleLibp2p(init, { gater, trusted, score: (peerId) => share.tell(peerId) })
  return new MeshNetwork(init, { libp2p, ledger, share, memory, replay })
}

interface Made {
  libp2p: MeshLibp2p
  ledger: ScoreLedger
  share: LedgerShare
  memory: PeerMemory
  replay: ReplayWindow
}

class MeshNetwork implements Network {
  readonly name = 'network'
  readonly libp2p: MeshLibp2p
  readonly events = new EventEmitter<NetworkEvents>()
  readonly #init: NetworkInit
  readonly #made: Made
  readonly #status: StatusService
  readonly #watchdog: Watchdog
  readonly #reconnect: Reconnect
  readonly #roots: Roots
  /** In the order of their start. */
  readonly #parts: Service[]
  #stopping: Promise<void> | undefined

  constructor(init: NetworkInit, made: Made) {
    const { libp2p, ledger, share, memory } = made
    const { logger, membership } = init
    this.libp2p = libp2p
    this.#init = init
    this.#made = made
    this.#status = new StatusService({
      libp2p,
      logger,
      member: (peerId) => membership.member(peerId),
      own: () => this.#ownStatus(),
      onStatus: (peerId, status) => this.#onStatus(peerId, status),
      onRefused: (peerId, { side, refusal }) => this.events.emit('refused', { peerId, side, ...refusal }),
    })
    this.#watchdog = new Watchdog({
      pubsub: this.pubsub,
      share,
      ledger,
      connected: () => libp2p.getPeers().map(String),
      ban: (peerId, score) => this.#ban(peerId, score),
    })
    this.#reconnect = new Reconnect({
      libp2p,
      logger,
      bootstrap: init.config.bootstrap,
      remembered: memory.all(),
      isBanned: (peerId) => ledger.isBanned(peerId),
    })
    this.#roots = new Roots(libp2p, logger)
    const neighbourhood = new Neighbourhood({ libp2p, logger, wanted: () => this.#reconnect.wantsPeers() })
    const sweep = new PeerStoreSweep(libp2p, logger)
    this.#parts = [this.#status, this.#watchdog, this.#roots, sweep, neighbourhood, this.#reconnect]
  }

  get pubsub(): GossipSub {
    return this.libp2p.services.pubsub
  }

  async start(): Promise<void> {
    const { replay } = this.#made
    const startedMs = Date.now()
    for (const spec of this.#init.topics) {
      const validator = topicValidator(spec, {
        self: this.libp2p.peerId,
        replay,
        now: Date.now,
        startedMs,
        onVerdict: this.#init.onVerdict,
        onFlood: (author) => this.penalise(author, -INVALID_MESSAGE_WEIGHT),
      })
      this.pubsub.topicValidators.set(spec.topic, validator)
    }
    this.libp2p.addEventListener('peer:connect', ({ detail }) => {
      this.events.emit('connected', { peerId: detail.toString() })
    })
    this.libp2p.addEventListener('peer:disconnect', ({ detail }) => {
      this.#watchdog.left(detail.toString())
      this.events.emit('disconnected', { peerId: detail.toString() })
    })
    const [status, ...later] = this.#parts
    await status?.start()
    await this.#listen()
    for (const { topic } of this.#init.topics) this.pubsub.subscribe(topic)
    for (const part of later) await part.start()
  }

  async #listen(): Promise<void> {
    try {
      await this.libp2p.start()
    } catch (cause) {
      const taken = messageOf(cause).includes('EADDRINUSE')
      const { listen } = this.#init.config
      throw new CodedError(
        taken ? 'E_PORT_TAKEN' : 'E_LISTEN',
        `cannot listen on ${listen.join(', ')}${taken ? ': a port is in use by another program' : ''}`,
        { hint: 'change network.listen; port 0 takes a free one', cause },
      )
    }
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    await this.#stopping
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    if (!this.#init.topics.some((spec) => spec.topic === topic)) {
      throw new CodedError('E_GOSSIP_TOPIC', `${topic} is not a topic of this mesh`)
    }
    await this.pubsub.publish(topic, data)
  }

  async connect(target: string, signal: AbortSignal): Promise<string> {
    const destination = destinationOf(target)
    const peerId = 'multihash' in destination ? destination.toString() : undefined
    if (peerId !== undefined && this.#made.ledger.isBanned(peerId)) {
      throw new CodedError('E_PEER_BANNED', `${peerId} is banned by this node`, { hint: 'a ban ends by itself' })
    }
    try {
      return (await this.libp2p.dial(destination, { signal })).remotePeer.toString()
    } catch (cause) {
      throw (
        refusalFrom(cause) ??
        new CodedError('E_DIAL_FAILED', `${target} was not reached: ${messageOf(cause)}`, {
          hint: 'check that the node runs and that the address is its own',
          cause,
        })
      )
    }
  }

  peers(): Promise<NetworkPeer[]> {
    return listPeers({
      libp2p: this.libp2p,
      members: () => this.#init.membership.members(),
      status: (peerId) => this.#status.latest(peerId),
      scores: () => this.#watchdog.scores(),
    })
  }

  status(peerId: string): PeerStatus | undefined {
    return this.#status.latest(peerId)
  }

  penalise(peerId: string, points: number): void {
    this.#made.ledger.penalise(peerId, points)
  }

  provide(root: CID): void {
    this.#roots.provide(root)
  }

  findProviders(root: CID, signal: AbortSignal): AsyncIterable<Provider> {
    return this.#roots.find(root, signal)
  }

  #ownStatus(): PeerStatus {
    const { cell, name } = this.#init.membership.self
    const { role, version } = this.#init
    const heads = this.#init.heads?.() ?? {}
    return { role, cell, name, version, protocolVersion: PROTOCOL_VERSION, heads, time: Date.now() }
  }

  #onStatus(peerId: string, status: PeerStatus): void {
    this.events.emit('status', { peerId, status })
    void this.#remember(peerIdFromString(peerId)).catch((error: unknown) => this.#logFailure('remember a peer', error))
  }

  async #remember(peerId: PeerId): Promise<void> {
    const { memory } = this.#made
    const { addresses } = await this.libp2p.peerStore.get(peerId)
    memory.remember({
      peerId: peerId.toString(),
      addresses: addresses.map((address) => address.multiaddr.toString()),
      seen: Date.now(),
    })
    this.#reconnect.keep(peerId)
    await memory.saveSoon()
  }

  #ban(peerId: string, score: number): void {
    const { ledger, memory } = this.#made
    const connections = this.libp2p.getConnections(peerIdFromString(peerId))
    const host = connections.map(({ remoteAddr }) => hostOf(remoteAddr)).find((found) => found !== undefined)
    const { until } = ledger.ban(peerId, host === undefined ? undefined : ownerOf(host))
    memory.forget(peerId)
    for (const connection of connections) connection.abort(new CodedError('E_PEER_BANNED', 'banned for its score'))
    this.events.emit('banned', { peerId, until, score })
    void saveBans(this.#init.store, ledger.bans()).catch((error: unknown) => this.#logFailure('save bans', error))
  }

  async #stop(): Promise<void> {
    for (const part of this.#parts.toReversed()) await part.stop()
    await this.libp2p.stop()
    await this.#made.memory.save()
    await this.#init.store.put(REPLAY_KEY, this.#made.replay.save(), { sync: false })
    this.events.removeAllListeners()
  }

  #logFailure(what: string, error: unknown): void {
    this.#init.logger.forComponent('kairos:network').error('could not %s: %s', what, messageOf(error))
  }
}

function destinationOf(target: string) {
  if (target.startsWith('/')) return readAddress(target)
  try {
    return peerIdFromString(target)
  } catch (cause) {
    throw new CodedError('E_ADDRESS_INVALID', `${target} is neither a multiaddr nor a peer id`, {
      hint: 'an address looks like /ip4/192.0.2.1/tcp/18789/p2p/12D3KooW…',
      cause,
    })
  }
}
