import type { Libp2p, Logger, PeerId } from '@libp2p/interface'
import type { ProposedBlock, Transport } from '../../consensus/mesh/ports.ts'
import { codeOf, messageOf } from '../shared/errors.ts'
import { openStream } from '../shared/open-stream.ts'
import { ACCEPT, type Verdict } from '../shared/verdict.ts'
import { Assembly } from './assembly.ts'
import { BlockSearch } from './block-search.ts'
import { BFT_PROTOCOL, MAX_DIGESTS } from './constants.ts'
import { blockParts } from './envelopes.ts'
import { BftHandler } from './handler.ts'
import { Links, type BftPeer } from './links.ts'
import type { Rate } from './peer-rate.ts'
import type { BftPorts } from './ports.ts'
import { Receiver } from './receiver.ts'
import { ReportWants } from './report-wants.ts'
import { Seen } from './seen.ts'

export interface BftTransportInit {
  libp2p: Libp2p
  /**
   * Full nodes that this node talks to; it itself may be among them. Asked whenever something is sent or a part comes:
   * the same array as long as nothing changed.
   */
  peers(): readonly BftPeer[]
  /** Full by the record or by membership; all others are refused. */
  isPeer(peer: PeerId): boolean
  /** of the last final epoch here, 0 for the genesis */
  height(): number
  ports: BftPorts
  /** A peer's fault, or what is merely not wanted. */
  judge(peer: PeerId, verdict: Verdict): void
  /** A frame or stream of a peer was not taken, E_BFT_… or E_FRAME_…; for counting. */
  refused(peer: PeerId, code: string): void
  /** Something for a peer was lost, E_BFT_QUEUE_FULL or why it cannot be reached; for counting. */
  lost(peer: PeerId, code: string): void
  log: Logger
  /** What one peer may send; RECEIVE_RATE when absent. */
  rate?: Rate
}

export interface BftTransport extends Transport {
  start(): Promise<void>
  /** Ends all streams, for good; idempotent. */
  stop(): Promise<void>
  /** The height of the last final epoch has counted up: what is of earlier ones is let go. */
  reached(height: number): void
  /** Asks peers for reports of an epoch by the sha-256 of their envelopes; they come through the port `report`. */
  requestReports(epoch: number, digests: readonly Uint8Array[], of: readonly PeerId[]): void
  /** A finished attestation, to all peers. */
  publishAttestation(bytes: Uint8Array): void
  /** A signed command, to all peers. */
  publishGovernance(bytes: Uint8Array): void
  /** What this member says about its cell, to other members of it. */
  shareAttestation(bytes: Uint8Array, to: readonly PeerId[]): void
}

/** The mesh's messages over `/kairos/bft/1.0.0` (spec.md). Nothing of it blocks or throws; what does not fit is lost. */
export function createBftTransport(init: BftTransportInit): BftTransport {
  return new LibP2pTransport(init)
}

class LibP2pTransport implements BftTransport {
  readonly #init: BftTransportInit
  readonly #links: Links
  readonly #handler: BftHandler
  readonly #search: BlockSearch
  readonly #assembly = new Assembly()
  readonly #wants = new ReportWants()
  readonly #seen = new Seen()
  readonly #onConnect = ({ detail }: CustomEvent<PeerId>): void => this.#links.connected(detail)

  constructor(init: BftTransportInit) {
    const { libp2p, ports, log } = init
    this.#init = init
    this.#links = new Links({
      self: libp2p.peerId,
      peers: () => init.peers(),
      openStream: (peer, signal) => openStream(libp2p, peer, BFT_PROTOCOL, { signal }),
      lost: (peer, code) => init.lost(peer, code),
      ended: (peer) => this.#wants.forget(peer.toString()),
    })
    this.#search = new BlockSearch(() => this.#links.validators)
    const told = {
      refused: (peer: PeerId, code: string) => init.refused(peer, code),
      judge: (peer: PeerId, verdict: Verdict) => init.judge(peer, verdict),
      log,
    }
    const receiver = new Receiver({
      ...told,
      ports,
      height: () => init.height(),
      links: this.#links,
      assembly: this.#assembly,
      search: this.#search,
      wants: this.#wants,
      seen: this.#seen,
    })
    this.#handler = new BftHandler({
      ...told,
      libp2p,
      isPeer: (peer) => init.isPeer(peer),
      onFrame: (peer, frame) => receiver.receive(peer, frame),
      ...(init.rate === undefined ? {} : { rate: init.rate }),
    })
  }

  async start(): Promise<void> {
    this.#init.libp2p.addEventListener('peer:connect', this.#onConnect)
    await this.#handler.start()
  }

  async stop(): Promise<void> {
    this.#init.libp2p.removeEventListener('peer:connect', this.#onConnect)
    await this.#handler.stop()
    this.#links.stop()
  }

  reached(height: number): void {
    this.#assembly.reached(height + 1)
  }

  publish(height: number, bytes: Uint8Array): void {
    this.#send('a message', () =>
      this.#links.toValidators({ frame: { type: 'message', height, bytes }, priority: 'message', height }),
    )
  }

  publishBlock(height: number, round: number, block: ProposedBlock): void {
    this.#send('a block', () => {
      this.#assembly.completed(height, block.value)
      for (const part of blockParts(height, round, block)) this.#links.toValidators(part)
    })
  }

  requestBlock(height: number, value: Uint8Array): void {
    this.#assembly.wanted(value)
    const frame = { type: 'want-block' as const, height, value }
    this.#send('a want', () => this.#links.to(this.#search.next(value), { frame, priority: 'other', height: 0 }))
  }

  requestReports(epoch: number, digests: readonly Uint8Array[], of: readonly PeerId[]): void {
    this.#send('a want', () => {
      for (const peer of of) this.#wants.asked(peer.toString(), epoch, digests)
      for (let from = 0; from < digests.length; from += MAX_DIGESTS) {
        const some = digests.slice(from, from + MAX_DIGESTS)
        this.#links.to(of, { frame: { type: 'want-reports', epoch, digests: some }, priority: 'other', height: 0 })
      }
    })
  }

  publishAttestation(bytes: Uint8Array): void {
    this.#tell('attestation', bytes)
  }

  publishGovernance(bytes: Uint8Array): void {
    this.#tell('governance', bytes)
  }

  shareAttestation(bytes: Uint8Array, to: readonly PeerId[]): void {
    const frame = { type: 'attestation-share' as const, bytes }
    this.#send('a share', () => this.#links.to(to, { frame, priority: 'other', height: 0 }))
  }

  #tell(type: 'attestation' | 'governance', bytes: Uint8Array): void {
    // It comes back from those who pass it on.
    this.#seen.add(Seen.key(type, bytes), ACCEPT)
    this.#send(type, () => this.#links.toAll({ frame: { type, bytes }, priority: 'other', height: 0 }))
  }

  /** What cannot be sent, for it is too large, is our own fault and lost. */
  #send(what: string, send: () => void): void {
    try {
      send()
    } catch (error) {
      this.#init.log.error('%s is lost - %s %s', what, codeOf(error), messageOf(error))
    }
  }
}
