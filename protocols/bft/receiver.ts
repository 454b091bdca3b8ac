import type { Logger, PeerId } from '@libp2p/interface'
import { codeOf, messageOf } from '../shared/errors.ts'
import { ACCEPT, ignore, reject, type Verdict } from '../shared/verdict.ts'
import type { Assembly } from './assembly.ts'
import type { BlockSearch } from './block-search.ts'
import type { BftFrame, BftPart } from './codec.ts'
import { ANSWER_RATE, MAX_ENVELOPE_BYTES } from './constants.ts'
import { blockParts, reportsFrame } from './envelopes.ts'
import type { Links } from './links.ts'
import { PeerRate } from './peer-rate.ts'
import type { BftPorts } from './ports.ts'
import type { ReportWants } from './report-wants.ts'
import { Seen } from './seen.ts'

export interface ReceiverInit {
  ports: BftPorts
  /** of the last final epoch here */
  height(): number
  links: Links
  assembly: Assembly
  search: BlockSearch
  wants: ReportWants
  seen: Seen
  refused(peer: PeerId, code: string): void
  judge(peer: PeerId, verdict: Verdict): void
  log: Logger
}

type Of<T extends BftFrame['type']> = Extract<BftFrame, { type: T }>

/** What becomes of each frame of a peer. */
export class Receiver {
  readonly #init: ReceiverInit
  readonly #answers = new PeerRate(ANSWER_RATE)

  constructor(init: ReceiverInit) {
    this.#init = init
  }

  /** Never rejects. */
  async receive(peer: PeerId, frame: BftFrame): Promise<void> {
    try {
      const verdict = await this.#verdictOf(peer, frame)
      if (verdict.kind !== 'accept') this.#refuse(peer, verdict)
    } catch (error) {
      this.#init.log.error('a %s of %p was not taken - %s %s', frame.type, peer, codeOf(error), messageOf(error))
    }
  }

  #refuse(peer: PeerId, verdict: Exclude<Verdict, { kind: 'accept' }>): void {
    this.#init.refused(peer, verdict.code)
    this.#init.judge(peer, verdict)
  }

  #verdictOf(peer: PeerId, frame: BftFrame): Verdict | Promise<Verdict> {
    const { ports } = this.#init
    switch (frame.type) {
      case 'message':
        return ports.message(peer, frame.height, frame.bytes)
      case 'part':
        return this.#part(peer, frame)
      case 'want-block':
        return this.#wantBlock(peer, frame)
      case 'want-reports':
        return this.#wantReports(peer, frame)
      case 'reports':
        return this.#reports(peer, frame)
      case 'attestation-share':
        return ports.attestationShare(peer, frame.bytes)
      case 'attestation':
      case 'governance':
        return this.#relayed(peer, frame)
    }
  }

  #part(peer: PeerId, part: BftPart): Verdict | Promise<Verdict> {
    const { assembly, links, ports, search } = this.#init
    if (!links.isValidator(peer)) return ignore('E_BFT_NOT_VALIDATOR')
    const bytes = assembly.add(peer.toString(), part, this.#init.height() + 1)
    if (bytes === undefined) return ACCEPT
    if (!(bytes instanceof Uint8Array)) return bytes
    const { height, round, value } = part
    if (!ports.matches({ value, bytes })) return reject('E_BFT_BLOCK_WRONG')
    assembly.completed(height, value)
    search.found(value)
    return ports.block(peer, { height, round, value, bytes })
  }

  async #wantBlock(peer: PeerId, { height, value }: Of<'want-block'>): Promise<Verdict> {
    const verdict = this.#answers.spend(peer.toString(), 0, performance.now())
    if (verdict.kind !== 'accept') return verdict
    const bytes = await this.#init.ports.readBlock(height, value)
    if (bytes === undefined) return ACCEPT
    this.#answers.charge(peer.toString(), bytes.byteLength, performance.now())
    for (const part of blockParts(height, 0, { value, bytes })) this.#init.links.to([peer], part)
    return ACCEPT
  }

  async #wantReports(peer: PeerId, { epoch, digests }: Of<'want-reports'>): Promise<Verdict> {
    const cost = digests.length * MAX_ENVELOPE_BYTES
    const verdict = this.#answers.spend(peer.toString(), cost, performance.now())
    if (verdict.kind !== 'accept') return verdict
    const envelopes = await this.#init.ports.readReports(epoch, digests)
    if (envelopes.length > 0) this.#init.links.to([peer], reportsFrame(envelopes.slice(0, digests.length)))
    return ACCEPT
  }

  /** One that is known, or came twice, takes none of the others with it: what is asked for also comes on other ways. */
  async #reports(peer: PeerId, { envelopes }: Of<'reports'>): Promise<Verdict> {
    let told = ACCEPT
    for (const envelope of envelopes) {
      const verdict = await this.#report(peer, envelope)
      if (verdict.kind === 'reject') return verdict
      if (verdict.kind === 'ignore') told = verdict
    }
    return told
  }

  #report(peer: PeerId, envelope: Uint8Array): Verdict | Promise<Verdict> {
    const epoch = this.#init.wants.take(peer.toString(), envelope)
    return epoch === undefined ? ignore('E_BFT_UNASKED') : this.#init.ports.report(peer, epoch, envelope)
  }

  /** Passed on once, by who accepts it: validators need not all hear of it from its author. */
  async #relayed(peer: PeerId, frame: Of<'attestation' | 'governance'>): Promise<Verdict> {
    const { seen, ports, links } = this.#init
    const key = Seen.key(frame.type, frame.bytes)
    const known = seen.get(key)
    if (known !== undefined) return known
    const verdict = await ports[frame.type](peer, frame.bytes)
    // Meanwhile it may have come from another peer too.
    if (seen.get(key) === undefined && verdict.kind === 'accept')
      links.toAll({ frame, priority: 'other', height: 0 }, peer)
    seen.add(key, verdict)
    return verdict
  }
}
