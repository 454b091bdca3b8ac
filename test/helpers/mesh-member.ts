import type { Stream } from '@libp2p/interface'
import { MemoryDatastore } from 'datastore-core'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import { loadConfig } from '../../node/config/load.ts'
import { resolvePaths } from '../../node/config/paths.ts'
import { createEpochPorts } from '../../node/mesh/epoch-ports.ts'
import { EpochRecord } from '../../node/mesh/epoch-record.ts'
import type { Follow } from '../../node/mesh/follow.ts'
import { createFollowing } from '../../node/mesh/following.ts'
import { MeshTally } from '../../node/mesh/tally.ts'
import { createMembership } from '../../node/network/membership.ts'
import { requireMembership } from '../../node/network/membership-files.ts'
import { createNetwork } from '../../node/network/network.ts'
import { networkConfig } from '../../node/network/settings.ts'
import type { Network } from '../../node/network/types.ts'
import { loadNodeKey } from '../../node/storage/key-file.ts'
import { createLog } from '../../node/telemetry/log.ts'
import { frameCodec, type BftFrame } from '../../protocols/bft/codec.ts'
import { MAX_FRAME_BYTES } from '../../protocols/bft/constants.ts'
import { BFT_PROTOCOL } from '../../protocols/bft/index.ts'
import { phaseTopic } from '../../protocols/phase/index.ts'
import { readFrames, writeFrame } from '../../protocols/shared/frames.ts'
import { openStream } from '../../protocols/shared/open-stream.ts'
import { ACCEPT } from '../../protocols/shared/verdict.ts'
import { MemorySublevel } from './memory-sublevel.ts'
import { Pen } from './mesh-pen.ts'
import { eventually } from './processes.ts'

const ANY = { ratePerSecond: 10_000, burst: 10_000 }

export interface MeshMemberInit {
  /** of a node that is set up and does not run */
  directory: string
  listen: string
  /** of others, which it connects to */
  bootstrap: readonly string[]
}

type Heard = (from: string, frame: BftFrame) => void

/**
 * A member of a mesh of real processes that lives in the test: its own key, a real connection, and the record as it
 * follows it. It reports, votes and proposes nothing by itself: what it says is the test's.
 */
export class MeshMember {
  readonly pen: Pen
  readonly network: Network
  readonly record: EpochRecord
  readonly #topic: string
  readonly #follow: Follow
  readonly #lanes = new Map<string, Promise<Stream>>()
  #heard: Heard = () => undefined

  private constructor(pen: Pen, network: Network, record: EpochRecord, follow: Follow, topic: string) {
    this.pen = pen
    this.network = network
    this.record = record
    this.#follow = follow
    this.#topic = topic
  }

  static async open({ directory, listen, bootstrap }: MeshMemberInit): Promise<MeshMember> {
    const paths = resolvePaths({ path: directory, env: {} })
    const { config } = await loadConfig({ path: paths.config, env: {} })
    const privateKey = await loadNodeKey(paths.key)
    const log = createLog({ level: 'silent', format: 'text' })
    const store = new MemorySublevel()
    const membership = createMembership({ privateKey, ...(await requireMembership(paths)), name: config.name, store })
    const { genesis, meshId } = membership
    const mesh = CID.parse(meshId).bytes
    const ports = createEpochPorts(mesh)
    const fail = (error: unknown): void => {
      throw error
    }
    const record = await EpochRecord.open({
      directory: join(directory, 'liar'),
      genesis,
      meshId,
      mesh,
      peerId: membership.self.peerId,
      keep: 0,
      isValidator: false,
      ports,
      fetchReports: async () => [],
      onFatal: fail,
      log: log.forComponent('kairos:test'),
    })
    const topic = phaseTopic(meshId)
    const network = await createNetwork({
      privateKey,
      membership,
      datastore: new MemoryDatastore(),
      store: new MemorySublevel(),
      role: membership.self.role,
      config: { ...networkConfig(config), listen: [listen], bootstrap: [...bootstrap] },
      topics: [
        {
          topic,
          budget: ANY,
          validate: () => ACCEPT,
          deliver: ({ data }) => void record.application.reports.put(data),
        },
      ],
      logger: log,
      userAgent: 'kairos/test',
      version: '0.0.0',
    })
    const follow = createFollowing({
      libp2p: network.libp2p,
      membership,
      judge: () => undefined,
      log,
      onFatal: fail,
      record,
      validating: undefined,
      isValidator: () => false,
      tally: new MeshTally(),
    })
    const member = new MeshMember(await Pen.of(privateKey, mesh), network, record, follow, topic)
    await member.#start()
    return member
  }

  get state() {
    return this.record.state
  }

  get peerId(): string {
    return this.network.libp2p.peerId.toString()
  }

  /** Whom it is connected to. */
  get connected(): string[] {
    return this.network.libp2p.getPeers().map(String)
  }

  /** Told of all that the others say to a validator. */
  onFrame(heard: Heard): void {
    this.#heard = heard
  }

  async close(): Promise<void> {
    await this.#follow.stop()
    await this.network.stop()
    await this.record.close()
  }

  async acquainted(count: number): Promise<void> {
    await eventually(`the member is connected to ${count}`, () => this.connected.length >= count)
  }

  gossip(envelope: Uint8Array): Promise<void> {
    return this.network.publish(this.#topic, envelope)
  }

  /** To all that it is connected to, or to one; what cannot be sent is lost. */
  async say(frame: BftFrame, to: readonly string[] = this.connected): Promise<void> {
    const bytes = frameCodec.encode(frame)
    await Promise.all(to.map((peer) => this.sayRaw(bytes, peer).catch(() => undefined)))
  }

  /** One frame, whatever it holds, on the stream of validators, or a new one where that was closed. @throws where none is to be had */
  async sayRaw(bytes: Uint8Array, to: string): Promise<void> {
    await this.#write(bytes, to).catch(() => this.#write(bytes, to))
  }

  async #write(bytes: Uint8Array, to: string): Promise<void> {
    const lane = this.#lanes.get(to) ?? this.stream(to, BFT_PROTOCOL)
    this.#lanes.set(to, lane)
    try {
      await writeFrame(await lane, bytes, AbortSignal.timeout(5_000))
    } catch (error) {
      this.#lanes.delete(to)
      throw error
    }
  }

  /** What was said last may have ended the streams: the next is said on new ones. */
  renew(): void {
    this.#lanes.clear()
  }

  stream(to: string, protocol: string): Promise<Stream> {
    const peer = this.network.libp2p.getPeers().find((each) => each.toString() === to)
    if (peer === undefined) return Promise.reject(new Error(`not connected to ${to}`))
    return openStream(this.network.libp2p, peer, protocol, { signal: AbortSignal.timeout(5_000) })
  }

  async #start(): Promise<void> {
    const { libp2p } = this.network
    await libp2p.handle(BFT_PROTOCOL, (stream, { remotePeer }) => this.#read(stream, remotePeer.toString()), {
      maxInboundStreams: 64,
    })
    await this.network.start?.()
    await this.#follow.start()
    libp2p.addEventListener('peer:connect', () => this.#follow.look())
  }

  async #read(stream: Stream, from: string): Promise<void> {
    try {
      for await (const bytes of readFrames(stream, { maxFrameBytes: MAX_FRAME_BYTES }))
        this.#heard(from, frameCodec.decode(bytes))
    } catch {
      // The other side has gone.
    }
  }
}
