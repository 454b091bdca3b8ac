import { resolve } from 'node:path'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Verdict } from '../protocols/shared/verdict.ts'
import { LevelDatastore } from './storage/datastore.ts'
import { writeApiFiles, removeApiFiles, createToken } from './storage/api-file.ts'
import { openDatabase } from './storage/database.ts'
import { acquireLock } from './storage/lock.ts'
import { createApi } from './api/server.ts'
import { createCoherence } from './coherence/service.ts'
import { createHistory } from './coherence/history.ts'
import { createPulse } from './coherence/pulse.ts'
import { createReportPool } from './coherence/reports.ts'
import { NO_CONTENT } from './content/none.ts'
import { checkConfig } from './config/check.ts'
import { applyConfiguredPaths, type Paths } from './config/paths.ts'
import type { Config } from './config/schema.ts'
import { cidText } from '../consensus/light/text.ts'
import { EventLog, firstCursor } from './events.ts'
import { openIdentity } from './identity.ts'
import { Lifecycle } from './lifecycle.ts'
import type { NodeMesh } from './mesh/service.ts'
import { createIntroductions } from './network/introductions.ts'
import type { CellRecord } from './network/cell-record.ts'
import { createNetwork } from './network/network.ts'
import { isOfCell } from './network/of-cell.ts'
import { networkConfig } from './network/settings.ts'
import { createOperations } from './node-operations.ts'
import { observe } from './observe.ts'
import { prepareDirectories } from './preflight.ts'
import { ROLES } from './roles.ts'
import { createQueryService } from './query-service.ts'
import { Refusals } from './refusals.ts'
import type { Operations } from './operations.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { gossipCounter, kernelFaultCounter } from './telemetry/node-metrics.ts'
import { pinCounters } from './telemetry/pin-metrics.ts'
import type { NodeLog } from './telemetry/log.ts'
import { version } from './version.ts'

/** Of 80 that are a ban: a member of the own cell that breaks its protocol. */
const REJECTED_POINTS = 20

/** A member that is to go waits so long for the record to do without it; then it goes all the same. */
const RELEASE_MS = 10_000

export interface NodeInit {
  paths: Paths
  config: Config
  log: NodeLog
}

export interface RunningNode {
  readonly operations: Operations
  /** Where its API listens. */
  readonly api: string
  /** Idempotent: services stop in the reverse of the order in which they started. */
  stop(): Promise<void>
  /** Settles when the node has stopped: rejects when its store failed and it had to. */
  readonly stopped: Promise<void>
}

/**
 * Starts a node. This function is the whole wiring: what is started, in which order, and what each
 * service knows of the others.
 *
 * @throws {CodedError} the first failure, naming the service; what had started is stopped again
 */
export async function startNode({ paths: ownPaths, config, log }: NodeInit): Promise<RunningNode> {
  const main = log.forComponent('kairos:node')
  const life = new Lifecycle((service, error) => main.error('a service did not stop cleanly', { service, error }))
  const stopped = Promise.withResolvers<void>()
  // The one who stops the node asks `stopped`; nobody needs to.
  stopped.promise.catch(() => undefined)
  const stop = (failure?: unknown): Promise<void> =>
    life.stop(failure).then(() => (life.failure === undefined ? stopped.resolve() : stopped.reject(life.failure)))
  const fatal = (error: unknown): void => {
    main.error('the store failed: stopping, nothing more is acknowledged', { error })
    events.publish('node', { state: 'failed' })
    void stop(error)
  }

  checkConfig(config)
  const paths = applyConfiguredPaths(ownPaths, config)
  const events = new EventLog(firstCursor(Date.now()))
  const cellRecord = Promise.withResolvers<CellRecord>()
  const metrics = createMetrics()
  /** The mesh's, not before the network is up: what comes earlier is heard without it. */
  let record: NodeMesh | undefined

  await life.hold(
    'lock',
    () => prepareDirectories(paths).then(() => acquireLock(paths.lock)),
    (lock) => lock.release(),
  )
  const database = await life.hold(
    'database',
    () => openDatabase(paths.data, { onFatal: fatal, configKey: 'storage.path' }),
    (open) => open.close(),
  )
  const { privateKey, membership } = await life.hold(
    'identity',
    () => openIdentity({ paths, config, store: database.sublevel('admission'), cell: cellRecord.promise, fatal }),
    async () => undefined,
  )
  const { meshId, genesis, self } = membership
  const pool = createReportPool({
    operators: () => record?.state.operators ?? genesis.operators,
    collapseThreshold: genesis.collapseThreshold,
    member: (peerId) => membership.member(peerId),
    stalePeriods: config.phase.stale_periods,
    now: () => performance.now(),
  })
  const coherence = await life.start('coherence', () =>
    createCoherence({
      config,
      role: self.role,
      peerId: self.peerId,
      log: log.forComponent('kairos:coherence'),
      onEvent: (event) => events.publish('signal', { ...event }),
      onKernelFault: kernelFaultCounter(metrics),
    }),
  )
  const introductions = createIntroductions((peerId, signal) => network.connect(peerId, signal))
  const pulse = createPulse({
    privateKey,
    meshId,
    config,
    coherence,
    pool,
    store: database.sublevel('phase'),
    height: () => record?.state.height ?? 0,
    paceMs: () => record?.state.policy.epochMs ?? genesis.epochMs,
    byEpoch: ROLES[self.role].meshConsensus === 'validator',
    onReport: (envelope, report) => record?.onReport(envelope, report),
    publish: (topic, bytes) => network.publish(topic, bytes),
    isMember: (peerId) => membership.member(peerId) !== undefined,
    onStranger: (author) => introductions.ask(author.toString()),
    log: log.forComponent('kairos:phase'),
  })
  const network = await life.start('network', () =>
    createNetwork({
      privateKey,
      membership,
      datastore: new LevelDatastore(database.sublevel('libp2p')),
      store: database.sublevel('network'),
      role: self.role,
      config: networkConfig(config),
      topics: [pulse.topic],
      heads: () => (record === undefined ? {} : { mesh: `${record.state.height}:${cidText(record.head)}` }),
      onVerdict: gossipCounter(metrics),
      logger: log,
      userAgent: `kairos/${version().version}`,
      version: version().version,
    }),
  )
  for (const type of ['connected', 'disconnected', 'banned'] as const) {
    network.events.on(type, (data: object) => events.publish(`peer.${type}`, { ...data }))
  }
  const refusals = new Refusals({ metrics, events, log: log.forComponent('kairos:refusals') })
  membership.addEventListener('refused', ({ detail }) => refusals.add(detail))
  network.events.on('refused', (refusal) => refusals.add(refusal))
  network.events.on('connected', ({ peerId }) => refusals.forget(peerId))
  const judge = (peer: PeerId, { kind }: Verdict): void => {
    if (kind === 'reject') network.penalise(peer.toString(), REJECTED_POINTS)
  }
  const hangUp = (peerId: string): void => void network.libp2p.hangUp(peerIdFromString(peerId)).catch(() => undefined)
  membership.addEventListener('revoked', ({ detail }) => {
    events.publish('peer.revoked', { ...detail })
    hangUp(detail.peerId)
  })
  const cell =
    ROLES[self.role].cellConsensus === 'none'
      ? undefined
      : await life.start('cell', async () => {
          const { NodeCell } = await import('./cell/service.ts')
          return new NodeCell({
            libp2p: network.libp2p,
            membership,
            log,
            directory: resolve(paths.data, '../cell'),
            store: database.sublevel('cell'),
            judge,
            onRecord: cellRecord.resolve,
            onRevoked: hangUp,
            onFatal: fatal,
          })
        })
  const mesh = await life.start('mesh', async () => {
    const { NodeMesh } = await import('./mesh/service.ts')
    return new NodeMesh({
      libp2p: network.libp2p,
      privateKey,
      membership,
      role: ROLES[self.role].meshConsensus,
      config: config.mesh,
      directory: resolve(paths.data, '../mesh'),
      cell: cell?.state,
      judge,
      log,
      onFatal: fatal,
    })
  })
  record = mesh
  if (cell !== undefined) cell.beforeRemoval = (peerId) => mesh.release(peerId, AbortSignal.timeout(RELEASE_MS))
  mesh.onFinal(() => void (mesh.isCurrent && pulse.advanced()))
  cell?.recorded(mesh.state)
  mesh.onFinal((_final, state) => cell?.recorded(state))
  network.events.on('status', ({ status }) => mesh.heard(status.heads['mesh']))
  await life.start('phase', () => pulse)
  const history = await life.start('history', () => createHistory({ config, coherence, pool, events }))
  await life.start('introductions', () => introductions)
  const pinCounts = pinCounters(metrics)
  const content = await life.start('content', async () => {
    if (ROLES[self.role].content === 'forward') return NO_CONTENT
    const { createContent } = await import('./content/index.ts')
    return createContent({
      libp2p: network.libp2p,
      datastore: new LevelDatastore(database.sublevel('helia')),
      blocksPath: paths.blocks,
      pinIndex: database.sublevel('local-pins'),
      limits: { quotaBytes: config.content.quota_bytes, maxBlockBytes: config.content.max_block_bytes },
      log,
      provide: (root) => network.provide(root),
      members: {
        mayPush: (peer) => isOfCell(membership, peer, ['full', 'light']),
        judge,
        refused: (_peer, code) => pinCounts.refused('blocks', code),
        transferred: (what, blocks, bytes) => pinCounts.transferred(what, blocks, bytes),
      },
      onFatal: fatal,
    })
  })
  const pins =
    content === NO_CONTENT
      ? undefined
      : await life.start('pins', async () => {
          const { createPins } = await import('./pins/open.ts')
          return createPins({
            libp2p: network.libp2p,
            membership,
            cell: cell?.state,
            content,
            database,
            config,
            log,
            onEvent: (event) => {
              pinCounts.event(event)
              events.publish('pin', { ...event })
            },
            onAudit: (result) => pinCounts.audit(result),
            onRefused: (_peer, code) => pinCounts.refused('audit', code),
            judge,
          })
        })
  if (cell !== undefined && pins !== undefined) {
    const [{ operations }, { state }] = [pins, cell]
    await life.start('epoch content', async () => {
      const { EpochContent } = await import('./mesh/epoch-content.ts')
      const own = log.forComponent('kairos:mesh')
      return new EpochContent({ mesh, content, pins: operations, cell: state, log: own })
    })
  }
  const operations = createOperations({
    config,
    membership,
    network,
    coherence,
    pool,
    history,
    refusals,
    content,
    pins,
    cell,
    mesh,
    events,
    log,
    paths,
    stop: () => void stop(),
  })
  await life.start('query', () => {
    const maySeePins = (peer: PeerId): boolean => isOfCell(membership, peer, ['light', 'full'])
    return createQueryService({ libp2p: network.libp2p, operations, maySeePins, log })
  })
  observe(metrics, operations, { cell, mesh, content, pins, events, membership })
  const token = createToken()
  const api = await life.start('api', () => createApi({ operations, config, token, metrics, log }))
  await life.hold(
    'api file',
    () => writeApiFiles(paths, { url: api.url, token }),
    () => removeApiFiles(paths),
  )
  events.publish('node', { state: 'started' })
  main.info('node started', { peerId: self.peerId, mesh: meshId, role: self.role, cell: self.cell, api: api.url })
  return { operations, api: api.url, stop: () => stop(), stopped: stopped.promise }
}
