import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applyBlock, certificateCodec, checkBlock, openBlock, plain } from '../../consensus/epoch/index.ts'
import { buildExport } from '../../consensus/light/build-export.ts'
import { cidText, verifyExport } from '../../consensus/light/index.ts'
import { createEpochPorts } from '../../node/mesh/epoch-ports.ts'
import { EpochRecord } from '../../node/mesh/epoch-record.ts'
import { createFollow } from '../../node/mesh/follow.ts'
import { EpochIntake } from '../../node/mesh/intake.ts'
import { verifyAside, verifyBytes } from '../../protocols/shared/signature.ts'
import { openStream } from '../../protocols/shared/open-stream.ts'
import { createSyncClient, createSyncHandler, SYNC_PROTOCOL } from '../../protocols/sync/index.ts'
import { connect, startLibp2p } from '../helpers/libp2p-pair.ts'
import { largeMesh } from '../unit/epoch/large-mesh.ts'
import { genesisOf, TestRecord } from '../unit/light/record.ts'
import { quantile, type Figure } from './figure.ts'

const EPOCHS = 3_000
const LIGHT_EPOCHS = 200
const THOUSAND_TIMES = 9

/** What an epoch costs those who check it: a validator, a stranger, and a node that starts fresh. */
export async function recordFigures(): Promise<Figure[]> {
  const record = new TestRecord()
  while (record.state.height < EPOCHS) record.advance()
  return [thousandReports(), ...(await light(record)), await freshSync(record)]
}

function thousandReports(): Figure {
  const mesh = largeMesh()
  const reports = mesh.nodes.map((node, at) => mesh.report(node, [2 ** 29, at * 1000]))
  mesh.advance({ holds: () => reports })
  const { bytes } = mesh.build()
  const taken = Array.from({ length: THOUSAND_TIMES }, () => {
    const began = performance.now()
    const block = openBlock(bytes)
    if (typeof block === 'string' || checkBlock(mesh.state, block, mesh.ports) !== undefined) throw new Error('invalid')
    applyBlock(mesh.state, block)
    return performance.now() - began
  })
  const name = `epoch of ${reports.length} reports: each verified, all recomputed`
  return { name, value: quantile(taken, 0.5), unit: 'ms', target: '≤ 300' }
}

async function light(record: TestRecord): Promise<Figure[]> {
  const files: Uint8Array[] = []
  for (let height = 2; height < LIGHT_EPOCHS; height++) files.push(await buildExport(record, height))
  const trust = { mesh: record.mesh, now: record.state.time }
  const each = (verifier: typeof verifyBytes | undefined): number => {
    const taken = files.map((file) => {
      const began = performance.now()
      verifyExport(file, { ...trust, verify: verifier })
      return performance.now() - began
    })
    return quantile(taken, 0.5)
  }
  return [
    {
      name: 'light verification of an exported epoch, eight validators, in Node',
      value: each(verifyBytes),
      unit: 'ms',
      target: '≤ 5',
    },
    { name: 'light verification of the same as a page does it', value: each(undefined), unit: 'ms' },
  ]
}

/** Over a real connection and onto a real disk: every certificate verified, every epoch durable. */
async function freshSync(record: TestRecord): Promise<Figure> {
  const directory = await mkdtemp(join(tmpdir(), 'k-sync-'))
  const [server, fresh] = [await startLibp2p(), await startLibp2p()]
  const handler = createSyncHandler({
    libp2p: server,
    chain: {
      head: () => ({ height: EPOCHS, value: record.state.head, lowest: 1 }),
      epoch: async (height) => {
        const final = record.finals[height - 1]!
        // As a node keeps them: what the signers saw is in the next block.
        const certificate = height === EPOCHS ? final.certificate : plain(final.certificate)
        return { height, block: final.bytes, certificate: certificateCodec.encode(certificate) }
      },
      state: async () => undefined,
      onHead: () => () => undefined,
    },
    isMember: () => true,
    refused: () => undefined,
    judge: () => undefined,
    log: server.logger.forComponent('sync'),
  })
  await handler.start()
  await connect(fresh, server)
  const genesis = genesisOf(record)
  const kept = await EpochRecord.open({
    directory,
    genesis,
    meshId: cidText(record.mesh),
    mesh: record.mesh,
    peerId: fresh.peerId.toString(),
    keep: 0,
    isValidator: false,
    ports: createEpochPorts(record.mesh),
    fetchReports: async () => [],
    onFatal: (error) => {
      throw error
    },
    log: fresh.logger.forComponent('record') as never,
  })
  const done = Promise.withResolvers<void>()
  kept.onFinal((_, { height }) => height === EPOCHS && done.resolve())
  const intake = new EpochIntake({
    state: () => kept.state,
    verify: verifyAside,
    builds: true,
    commit: (block, certificate) => kept.application.commit(block, certificate),
    now: () => performance.now(),
  })
  const follow = createFollow({
    client: createSyncClient((peer, signal) => openStream(fresh, peer, SYNC_PROTOCOL, { signal })),
    peers: () => fresh.getPeers(),
    chain: intake,
    verify: (epoch) => intake.verify(epoch),
    take: async (epoch) => void (await intake.take(epoch)),
    isValidator: () => false,
    judge: (_peer, verdict) => done.reject(new Error(JSON.stringify(verdict))),
    onFatal: (cause) => done.reject(cause),
    log: fresh.logger.forComponent('follow'),
  })
  const began = performance.now()
  await follow.start()
  await done.promise
  const seconds = (performance.now() - began) / 1000
  await follow.stop()
  await kept.close()
  await handler.stop()
  await Promise.all([server.stop(), fresh.stop()])
  await rm(directory, { recursive: true, force: true })
  return {
    name: `fresh sync of ${EPOCHS} epochs, eight validators, both ends in one process`,
    value: EPOCHS / seconds,
    unit: 'epochs/s',
    target: '≥ 500',
  }
}
