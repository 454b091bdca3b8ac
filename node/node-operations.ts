import { peerIdFromString } from '@libp2p/peer-id'
import { queryAll } from '../protocols/query/index.ts'
import { CodedError, codeOf, messageOf } from '../protocols/shared/errors.ts'
import { cellReasons, cellSummaries, createCellOperations } from './cell-operations.ts'
import { signalOmega } from './coherence/ingest/index.ts'
import { signalConfig } from './coherence/settings.ts'
import { checkNode } from './doctor.ts'
import { createMeshOperations, recordReasons } from './mesh-operations.ts'
import { readAddress } from './network/read-address.ts'
import type { Network } from './network/types.ts'
import type { Parts } from './parts.ts'
import type {
  CoherenceDocument,
  CoherenceValue,
  ErrorDocument,
  NodeDocument,
  Operations,
  PeerRow,
  PingRow,
  QueryParams,
  QueryRow,
  QueryTarget,
  QueryTopic,
  ReadinessDocument,
  StatusDocument,
} from './operations.ts'
import { pinningContent } from './pins/add-pinned.ts'
import { NO_PINS } from './pins/unavailable.ts'
import { answer } from './query-service.ts'
import type { Refusal } from './refusals.ts'
import { PROTOCOL_VERSION, version } from './version.ts'

/** Fewer operators than this, and one that lies decides (blueprint, "Operators, cells, weight"). */
const OPERATORS_FOR_ONE_FAULT = 4
/** Relative; a period in seconds does not give the last bits of ω. */
const OMEGA_TOLERANCE = 1e-9

/** The node as its faces see it: nothing is decided here, every answer is put together from the services. */
export function createOperations(parts: Parts): Operations {
  const { membership, network, history, content, pins, events, log } = parts
  const started = performance.now()
  const readiness = (): ReadinessDocument => readinessOf(parts)
  const operations: Operations = {
    id: () => identityOf(parts),
    version,
    status: () => statusOf(parts, (performance.now() - started) / 1000),
    readiness,
    doctor: () => checkNode(parts),
    peers: () => peersOf(parts),
    ping: (peerId, count, signal) => ping(network, peerId, { count, signal }),
    async connect(address, signal) {
      const peerId = await network.connect(address, signal)
      const row = (await peersOf(parts)).find((peer) => peer.peerId === peerId)
      if (row === undefined) throw new CodedError('E_DIAL_FAILED', `${peerId} hung up after it was dialled`)
      return row
    },
    query: (what, target, signal, params = {}) => query(operations, parts, { what, target, signal, params }),
    coherence: () => coherenceOf(parts),
    coherenceHistory: (options) => history.points(options),
    invite: (request) => membership.invite({ ...request, addresses: dialable(network) }),
    cell: createCellOperations(parts),
    mesh: createMeshOperations(parts),
    content: pinningContent(parts),
    pins: pins?.operations ?? NO_PINS,
    repo: pins === undefined ? content.repo : { ...content.repo, gc: (signal) => pins.gc(signal) },
    log: {
      level: (level, component) => ({ levels: log.setLevel(level, component) }),
      recent: () => log.recent(),
      tail: (signal) => log.tail(signal),
    },
    stop: parts.stop,
    events: (cursor, signal) => events.watch(cursor, signal),
  }
  return operations
}

function identityOf({ membership, network }: Parts): NodeDocument {
  const { peerId, name, role, cell, rights } = membership.self
  return {
    peerId,
    name,
    role,
    cell,
    rights,
    meshId: membership.meshId,
    addresses: network.libp2p.getMultiaddrs().map(String),
    protocolVersion: PROTOCOL_VERSION,
  }
}

async function statusOf(parts: Parts, uptimeSeconds: number): Promise<StatusDocument> {
  const { network, pool } = parts
  const { ready, reasons } = readinessOf(parts)
  const chain = parts.mesh.summary()
  const peers = await network.peers()
  const { sync, emissary } = parts.coherence.document()
  return {
    ...identityOf(parts),
    version: version().version,
    uptimeSeconds,
    ready,
    reasons,
    peers: { connected: peers.filter((peer) => peer.connected).length, known: peers.length },
    operators: { total: chain.operators, toleratedFaults: chain.toleratedFaults },
    coherence: sync === null ? emissary : valueOf(sync),
    global: pool.global(),
    cells: cellSummaries(parts),
    pins: (await parts.pins?.summary()) ?? null,
    chain,
    memory: { rssBytes: process.memoryUsage.rss() },
    warnings: warningsOf(parts, chain.operators),
  }
}

/** The value alone, without what only the sync layer has. */
function valueOf({ t, magnitudeSquared, collapsed, nEff, falseAlarm }: CoherenceValue): CoherenceValue {
  return { t, magnitudeSquared, collapsed, nEff, falseAlarm }
}

function warningsOf({ coherence, refusals, membership, config }: Parts, operators: number): string[] {
  const warnings = refusals.ofThisNode().map(refused)
  if (operators < OPERATORS_FOR_ONE_FAULT) {
    warnings.push(`a mesh of ${operators} operator${operators === 1 ? '' : 's'} tolerates no liar; four tolerate one`)
  }
  const own = signalOmega(signalConfig(config))
  const shared = membership.genesis.omega
  if (operators > 1 && coherence.signal.state !== 'none' && Math.abs(own - shared) > OMEGA_TOLERANCE * shared) {
    warnings.push(`this node listens at ω = ${own} rad/s and the mesh at ${shared}: their directions do not compare`)
  }
  const { state, error, badSamples } = coherence.signal
  if (state === 'ended') warnings.push('the signal has ended: this node reports no coherence')
  if (state === 'running' && !coherence.isLive) warnings.push('the signal is silent: this node reports no coherence')
  if (error !== undefined) warnings.push(`the signal failed: ${error.message} (${error.hint ?? error.code})`)
  if (badSamples > 0) warnings.push(`${badSamples} samples could not be read and count as lost`)
  return warnings
}

function refused({ peerId, code, message }: Refusal): string {
  return `${peerId ?? 'a peer'} refused this node: ${message} (${code})`
}

/** Ready for what others want of it: on the network, and heard where it has something to say. */
function readinessOf(parts: Parts): ReadinessDocument {
  const { network, membership, config, refusals } = parts
  const reasons = [...cellReasons(parts), ...recordReasons(parts)]
  if (network.libp2p.status !== 'started') reasons.push('the network is not up')
  const alone = network.libp2p.getPeers().length === 0
  const refusal = refusals.ofThisNode().at(-1)
  const others = membership.genesis.operators.length > 1 || config.network.bootstrap.length > 0
  if (alone && others) reasons.push(`no peer is connected${refusal === undefined ? '' : `: ${refused(refusal)}`}`)
  return { ready: reasons.length === 0, reasons }
}

async function peersOf({ network, pool }: Parts): Promise<PeerRow[]> {
  const rows = await network.peers()
  return rows.map((peer) => ({ ...peer, reportAgeSeconds: pool.ageSeconds(peer.peerId) }))
}

function coherenceOf({ coherence, pool }: Parts): CoherenceDocument {
  return {
    time: Date.now(),
    signal: coherence.signal,
    ...coherence.document(),
    global: pool.global(),
    reports: pool.rows(),
  }
}

/** Addresses that a guest can dial; the port alone tells where, the ticket names the key. */
function dialable({ libp2p }: Network): string[] {
  return libp2p.getMultiaddrs().map((address) => address.toString().replace(/\/p2p\/[^/]+$/, ''))
}

interface Ping {
  count: number
  signal: AbortSignal
}

async function* ping({ libp2p }: Network, target: string, { count, signal }: Ping): AsyncGenerator<PingRow> {
  const { ping } = libp2p.services as unknown as {
    ping: { ping: (peer: unknown, options: { signal: AbortSignal }) => Promise<number> }
  }
  const peer = target.startsWith('/') ? readAddress(target) : peerIdOf(target)
  for (let sequence = 1; sequence <= count; sequence++) {
    try {
      yield { peerId: target, sequence, roundTripMs: await ping.ping(peer, { signal }) }
    } catch (error) {
      signal.throwIfAborted()
      yield { peerId: target, sequence, roundTripMs: null, error: errorDocument(error) }
    }
  }
}

function peerIdOf(text: string) {
  try {
    return peerIdFromString(text)
  } catch (cause) {
    throw new CodedError('E_PEER_ID_INVALID', `${text} is no peer id`, { hint: 'kairos peers lists them', cause })
  }
}

interface Query {
  what: QueryTopic
  target: QueryTarget
  signal: AbortSignal
  params: QueryParams
}

async function* query(
  operations: Operations,
  parts: Parts,
  { what, target, signal, params }: Query,
): AsyncGenerator<QueryRow> {
  const { network, membership } = parts
  const self = { peerId: membership.self.peerId, name: membership.self.name }
  if (!('peer' in target)) {
    try {
      for await (const data of answer(operations, { what, params, signal })) yield { ...self, data }
    } catch (error) {
      // That this node cannot answer keeps nobody from hearing the others.
      if ('local' in target || signal.aborted) throw error
      yield { ...self, error: errorDocument(error) }
    }
  }
  if ('local' in target) return
  const rows = await network.peers()
  const peers = 'peer' in target ? [target.peer] : rows.map((peer) => peer.peerId)
  const names = new Map(rows.map((peer) => [peer.peerId, peer.name]))
  const asked = peers.map((peerId) => ({
    peer: peerIdOf(peerId),
    name: names.get(peerId) ?? membership.member(peerId)?.name ?? '',
  }))
  yield* queryAll(network.libp2p, asked, { what, params }, { signal })
}

function errorDocument(error: unknown): ErrorDocument {
  return { code: codeOf(error), message: messageOf(error) }
}
