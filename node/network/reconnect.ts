import type { ComponentLogger, Libp2p, PeerId, PeerInfo } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { codeOf } from '../../protocols/shared/errors.ts'
import type { Service } from '../service.ts'
import { backoffMs } from './backoff.ts'
import { DIAL_TIMEOUT_MS } from './limits.ts'
import type { GoodPeer } from './peer-memory.ts'

const TICK_MS = 250
const DIALS_AT_ONCE = 8
/** With this many connections, some of our own choice, only bootstrap peers are still dialled. */
const ENOUGH_CONNECTIONS = 12
/** Peers that came to us may all be one owner's; these we chose. */
const MIN_OUTBOUND = 4
/** Peers heard of, neither configured nor remembered; the oldest gives way. */
const MAX_HEARSAY = 256
/** Attempts before a peer known by hearsay only is dropped. */
const HEARSAY_ATTEMPTS = 5

interface Target {
  kind: 'bootstrap' | 'remembered' | 'hearsay'
  peerId: PeerId | undefined
  addresses: Multiaddr[]
  attempt: number
  dueMs: number
  dialling: boolean
}

export interface ReconnectInit {
  libp2p: Libp2p
  logger: ComponentLogger
  bootstrap: string[]
  remembered: GoodPeer[]
  isBanned(peerId: string): boolean
}

/**
 * Dials bootstrap peers, remembered peers and peers heard of until they are connected, and again when they
 * are lost, with backoff. Bootstrap and remembered peers are never given up.
 */
export class Reconnect implements Service {
  readonly name = 'reconnect'
  readonly #init: ReconnectInit
  readonly #targets = new Map<string, Target>()
  readonly #stopped = new AbortController()
  #timer: NodeJS.Timeout | undefined

  constructor(init: ReconnectInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    for (const { peerId, addresses } of this.#init.remembered) {
      this.#add(
        'remembered',
        peerIdFromString(peerId),
        addresses.map((address) => multiaddr(address)),
      )
    }
    for (const address of this.#init.bootstrap) this.#add('bootstrap', peerIdOf(address), [multiaddr(address)])
    this.#init.libp2p.addEventListener('peer:discovery', this.#onDiscovery)
    this.#init.libp2p.addEventListener('peer:disconnect', this.#onDisconnect)
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#tick()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopped.abort()
    this.#init.libp2p.removeEventListener('peer:discovery', this.#onDiscovery)
    this.#init.libp2p.removeEventListener('peer:disconnect', this.#onDisconnect)
  }

  /** A peer that did well: kept as long as this process lives, like those on disk. */
  keep(peerId: PeerId): void {
    const target = this.#targets.get(peerId.toString())
    if (target?.kind === 'hearsay') target.kind = 'remembered'
    else if (target === undefined) this.#add('remembered', peerId, [])
  }

  /** Whether peers beyond the bootstrap ones are still dialled. */
  wantsPeers(): boolean {
    const connections = this.#init.libp2p.getConnections()
    const outbound = connections.filter(({ direction }) => direction === 'outbound').length
    return connections.length < ENOUGH_CONNECTIONS || outbound < MIN_OUTBOUND
  }

  readonly #onDiscovery = ({ detail }: CustomEvent<PeerInfo>): void => {
    if (this.#targets.has(detail.id.toString()) || detail.id.equals(this.#init.libp2p.peerId)) return
    const hearsay = [...this.#targets].filter(([, { kind }]) => kind === 'hearsay')
    if (hearsay.length >= MAX_HEARSAY) this.#targets.delete(hearsay[0]?.[0] ?? '')
    this.#add('hearsay', detail.id, [])
  }

  readonly #onDisconnect = ({ detail }: CustomEvent<PeerId>): void => {
    const target = this.#targets.get(detail.toString())
    if (target !== undefined) postpone(target, 0)
  }

  #add(kind: Target['kind'], peerId: PeerId | undefined, addresses: Multiaddr[]): void {
    const key = peerId?.toString() ?? String(addresses[0])
    const known = this.#targets.get(key)?.addresses ?? []
    const target = { kind, peerId, addresses: [...addresses, ...known], attempt: 0, dueMs: 0, dialling: false }
    this.#targets.set(key, target)
  }

  #tick(): void {
    const { libp2p, isBanned } = this.#init
    const connected = new Set(libp2p.getPeers().map(String))
    const now = Date.now()
    const wantsPeers = this.wantsPeers()
    let dialling = [...this.#targets.values()].filter((target) => target.dialling).length
    for (const [key, target] of this.#targets) {
      if (dialling >= DIALS_AT_ONCE) return
      if (target.dialling || target.dueMs > now || connected.has(key) || isBanned(key)) continue
      if (target.kind !== 'bootstrap' && !wantsPeers) continue
      dialling += 1
      void this.#dial(key, target)
    }
  }

  async #dial(key: string, target: Target): Promise<void> {
    target.dialling = true
    try {
      const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
      const connection = await this.#init.libp2p.dial(await this.#addressesOf(target, signal), { signal })
      if (target.peerId === undefined) this.#settleAnonymous(key, target, connection.remotePeer)
      postpone(target, 0)
    } catch (error) {
      postpone(target, target.attempt + 1)
      if (target.kind === 'hearsay' && target.attempt >= HEARSAY_ATTEMPTS) this.#targets.delete(key)
      this.#init.logger.forComponent('kairos:reconnect')('dial of %s failed: %s', key, codeOf(error))
    } finally {
      target.dialling = false
    }
  }

  /** A peer's own addresses are in the peer store; those remembered help when it has forgotten them. */
  async #addressesOf(target: Target, signal: AbortSignal): Promise<PeerId | Multiaddr[]> {
    const { peerId, addresses } = target
    if (peerId === undefined) return addresses
    if (addresses.length > 0)
      await this.#init.libp2p.peerStore.merge(peerId, { multiaddrs: addresses.map(bare) }, { signal })
    return peerId
  }

  /** A bootstrap address without an id: from now on it is known by the id that answered. */
  #settleAnonymous(key: string, target: Target, peerId: PeerId): void {
    this.#targets.delete(key)
    this.#targets.set(peerId.toString(), { ...target, peerId, dialling: false })
  }
}

function postpone(target: Target, attempt: number): void {
  target.attempt = attempt
  target.dueMs = Date.now() + backoffMs(attempt, Math.random())
}

function peerIdOf(address: string): PeerId | undefined {
  const value = multiaddr(address)
    .getComponents()
    .findLast(({ name }) => name === 'p2p')?.value
  return value === undefined ? undefined : peerIdFromString(value)
}

function bare(address: Multiaddr): Multiaddr {
  const last = address.getComponents().at(-1)
  return last?.name === 'p2p' ? address.decapsulate(`/p2p/${last.value}`) : address
}
