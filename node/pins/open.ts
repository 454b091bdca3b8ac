import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { z } from 'zod'
import { askPins, createPinsHandler } from '../../protocols/pins/index.ts'
import { query } from '../../protocols/query/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { Verdict } from '../../protocols/shared/verdict.ts'
import type { CellState } from '../cell/types.ts'
import type { Config } from '../config/schema.ts'
import type { Content } from '../content/index.ts'
import type { Membership } from '../network/membership.ts'
import { isOfCell } from '../network/of-cell.ts'
import type { PinOperations, PinOptions, PinSummary } from '../operations-pins.ts'
import type { GcRow } from '../operations-repo.ts'
import type { Service } from '../service.ts'
import type { Database } from '../storage/database.ts'
import type { NodeLog } from '../telemetry/log.ts'
import { OwnPins } from './alone.ts'
import { createAudit, type AuditResult } from './audit/index.ts'
import { boundedAsk } from './bounded-ask.ts'
import type { Drain } from './drain.ts'
import { GuestPins, noHost } from './guest.ts'
import { claims } from './observe.ts'
import type { PinHealth } from './health.ts'
import type { PinMesh } from './ports.ts'
import type { Recovering } from './recovery.ts'
import { serveGuest } from './serve-guests.ts'
import { NodePins, type PinEvent } from './service.ts'
import type { Tracked } from './tracker/index.ts'

const recovered = z.object({ recovered: z.int().min(0) })

export interface PinsInit {
  libp2p: Libp2p
  membership: Pick<Membership, 'self' | 'member' | 'members'>
  /** Undefined on a node that is in no cell. */
  cell: CellState | undefined
  content: Content
  database: Pick<Database, 'sublevel'>
  config: Pick<Config, 'pins'>
  log: NodeLog
  onEvent: (event: PinEvent) => void
  onAudit: (result: AuditResult) => void
  onRefused: (peer: PeerId, code: string) => void
  /** A peer's fault, for the score. */
  judge: (peer: PeerId, verdict: Verdict) => void
}

/** The pins of a node, in whichever way its role has them. */
export interface PinService extends Service {
  readonly operations: PinOperations
  /** How many pins of this node are in each status that is not final. */
  readonly counts: Partial<Record<Tracked['status'], number>>
  summary(): Promise<PinSummary>
  /** For `doctor`. */
  health(): Promise<PinHealth>
  /** Peer ids of who is likely to be given a copy of something new. */
  placement(options: PinOptions): readonly string[]
  /** Of a full node: has its copies moved elsewhere, then leaves. @see drainAndLeave */
  drain?(how: Drain, signal: AbortSignal): AsyncIterable<number>
  /** Of the store: what is to be pinned here is no garbage, pinned or not. @throws {CodedError} E_NO_QUORUM */
  gc(signal: AbortSignal): AsyncIterable<GcRow>
  /** Makes challenges for the one copy of a pin that another node is to have. */
  beforePin?(root: string, options: PinOptions, signal: AbortSignal): Promise<void>
}

/** A full node agrees with its cell, a light node asks one and keeps its own, a witness keeps its own. */
export function createPins(init: PinsInit): PinService {
  if (init.cell !== undefined) return cellPins(init, init.cell)
  return init.membership.self.role === 'light' ? guestPins(init) : ownPins(init)
}

function cellPins(init: PinsInit, cell: CellState): PinService {
  const { libp2p, content, database, config, membership } = init
  const { self } = membership
  const log = init.log.forComponent('kairos:pins')
  const mesh = meshOf(init)
  const audit = createAudit({
    libp2p,
    cell,
    self: self.peerId,
    local: content.local,
    readBlock: (cid) => content.stored(cid),
    store: database.sublevel('pin-audit'),
    isOfCell: (peer) => isOfCell(membership, peer, ['full']),
    log: init.log.forComponent('kairos:audit'),
    periodMs: config.pins.audit_period_s * 1000,
    onResult: init.onAudit,
    onRefused: init.onRefused,
    judge: init.judge,
    claims: (cid, peerId, signal) => claims(mesh, { cid, peerId, signal }),
  })
  const pins = new NodePins({
    cell,
    mesh,
    content,
    local: content.local,
    store: database.sublevel('pin-catalog'),
    proofs: audit,
    policy: {
      enabled: config.pins.repair,
      rebalance: config.pins.rebalance,
      graceMs: config.pins.repair_grace_s * 1000,
      movesPerMinute: config.pins.repair_moves_per_minute,
    },
    measure: () => content.space(),
    log,
    onEvent: init.onEvent,
  })
  const handler = createPinsHandler({
    libp2p,
    isGuest: (peer) => isOfCell(membership, peer, ['light', 'full']),
    serve: (op, args, signal) => serveGuest(pins, op, args, signal),
    judge: init.judge,
    log,
  })
  return {
    name: 'pins',
    operations: pins,
    get counts() {
      return pins.counts
    },
    summary: () => pins.summary(),
    health: () => pins.health(),
    placement: (options) => pins.placement(options),
    drain: (how, signal) => pins.drain(how, signal),
    async *gc(signal) {
      await pins.known()
      yield* content.repo.gc(signal)
    },
    async beforePin(root, options, signal) {
      const placed = pins.placement(options)
      if (placed.length === 1 && placed[0] !== self.peerId) await audit.precompute(root, signal)
    },
    async start() {
      await audit.start()
      await pins.start()
      await handler.start()
    },
    async stop() {
      await handler.stop()
      await pins.stop()
      await audit.stop()
    },
  }
}

function guestPins(init: PinsInit): PinService {
  const { libp2p, membership } = init
  const own = ownOf(init)
  const host = (): PeerId => {
    const found = libp2p.getPeers().find((peer) => isOfCell(membership, peer, ['full']))
    if (found === undefined) throw noHost(membership.self.cell)
    return found
  }
  const operations = new GuestPins({
    own,
    ask: async (op, args, signal) => askPins(libp2p, host(), { op, args: jsonOf(args) }, signal),
  })
  const placement = ({ replicationMax = 3 }: PinOptions): string[] => {
    const full = libp2p.getPeers().filter((peer) => isOfCell(membership, peer, ['full']))
    return full.slice(0, replicationMax < 0 ? full.length : replicationMax).map(String)
  }
  return serviceOf(init, own, { operations, placement })
}

function ownPins(init: PinsInit): PinService {
  const own = ownOf(init)
  return serviceOf(init, own, { operations: own, placement: () => [] })
}

function ownOf(init: PinsInit): OwnPins {
  const { content, database, onEvent } = init
  const log = init.log.forComponent('kairos:pins')
  return new OwnPins({
    mesh: meshOf(init),
    content,
    local: content.local,
    store: database.sublevel('own-pins'),
    log,
    onEvent,
  })
}

function serviceOf({ content }: PinsInit, own: OwnPins, how: Pick<PinService, 'operations' | 'placement'>): PinService {
  return {
    name: 'pins',
    ...how,
    gc: (signal) => content.repo.gc(signal),
    summary: () => own.summary(),
    health: () => own.health(),
    get counts() {
      return own.counts
    },
    start: () => own.start(),
    stop: () => own.stop(),
  }
}

function meshOf({ libp2p, membership }: PinsInit): PinMesh & Recovering {
  return {
    self: membership.self.peerId,
    nameOf: (peerId) => membership.member(peerId)?.name ?? peerId,
    peerIdOf: (member) => peerIdOf(membership, member),
    isConnected: (peerId) => libp2p.getConnections(peerIdFromString(peerId)).length > 0,
    ask: boundedAsk((peer, params, signal) => query(libp2p, peer, { what: 'pins', params }, { signal })),
    async recoverAt(peerId, cid, signal) {
      const request = { op: 'recover' as const, args: [cid ?? null, { local: true }] }
      const document = await askPins(libp2p, peerIdFromString(peerId), request, signal)
      return recovered.parse(document).recovered
    },
  }
}

/** @throws {CodedError} E_MEMBER_UNKNOWN, E_INVALID_INPUT for a name that two have */
function peerIdOf(membership: PinsInit['membership'], text: string): string {
  const { self } = membership
  const all = [self, ...membership.members()].filter(({ cell }) => cell === self.cell)
  const found = [
    ...new Set(all.filter(({ name, peerId }) => name === text || peerId === text).map(({ peerId }) => peerId)),
  ]
  if (found[0] !== undefined && found.length === 1) return found[0]
  if (found.length > 1)
    throw new CodedError('E_INVALID_INPUT', `${found.length} nodes are named ${text}`, {
      hint: `give a peer id: ${found.join(' or ')}`,
    })
  throw new CodedError('E_MEMBER_UNKNOWN', `no member of cell ${self.cell} is named ${text}`, {
    hint: '`kairos members` lists them',
  })
}

/** Without what is undefined: dag-cbor knows no such thing. */
function jsonOf(args: readonly unknown[]) {
  return JSON.parse(JSON.stringify(args)) as []
}
