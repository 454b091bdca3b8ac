import { expect } from 'chai'
import {
  blockCodec,
  certificateCodec,
  EpochApplication,
  finalCodec,
  hex,
  openBlock,
  stateCodec,
  type EpochStore,
  type FinalEpoch,
  type MeshState,
} from '../../../consensus/epoch/index.ts'
import type { ProposedBlock } from '../../../consensus/mesh/ports.ts'
import { altered, CREATED, TestMesh, type TestNode } from './mesh.ts'

class MemoryStore implements EpochStore {
  readonly proposals = new Map<string, Uint8Array>()
  readonly epochs: { height: number; certificate: Uint8Array; state: Uint8Array }[] = []
  isBroken = false

  async persist(value: Uint8Array, block: Uint8Array): Promise<void> {
    this.proposals.set(hex(value), block)
  }

  async proposal(value: Uint8Array): Promise<Uint8Array | undefined> {
    return this.proposals.get(hex(value))
  }

  async commit(height: number, epoch: { certificate: Uint8Array }, state: Uint8Array): Promise<void> {
    if (this.isBroken) throw new Error('disk')
    this.epochs.push({ height, certificate: epoch.certificate, state })
  }
}

const SIGNAL = new AbortController().signal

describe('epoch: application', () => {
  let mesh: TestMesh
  let nodes: { node: TestNode; store: MemoryStore; application: EpochApplication; finals: FinalEpoch[] }[]
  beforeEach(() => {
    mesh = new TestMesh({ a: 1, b: 1, c: 1, d: 1 })
    nodes = mesh.validators.map((node) => {
      const [store, finals]: [MemoryStore, FinalEpoch[]] = [new MemoryStore(), []]
      const application = new EpochApplication({
        state: mesh.state,
        certificate: null,
        ports: mesh.ports,
        store,
        fetchReports: async (epoch, missing) =>
          nodes.flatMap(({ application: other }) =>
            other.reports.read(
              epoch,
              missing.map(({ digest }) => digest),
            ),
          ),
        now: () => CREATED + 5000,
        onFinal: (final) => void finals.push(final),
      })
      return { node, store, application, finals }
    })
  })

  /** One height: all check, persist and commit what the first proposes, as the driver has them do. */
  async function decide(): Promise<ProposedBlock> {
    const block = await nodes[0]!.application.propose(0, SIGNAL)
    const height = nodes[0]!.application.height + 1
    for (const { application } of nodes) {
      expect(await application.check(block)).to.equal(undefined)
      await application.persist(block)
    }
    const certificate = certified(block.value, height)
    for (const { application } of nodes) await application.commit(block, certificate)
    expect(nodes.map(({ application }) => application.height)).to.deep.equal([height, height, height, height])
    return block
  }

  /** Precommits with the extension of each application. */
  function certified(value: Uint8Array, height: number) {
    const signer = Object.assign(Object.create(mesh) as TestMesh, {
      state: { ...nodes[0]!.application.state, height: height - 1 },
      extension: (node: TestNode) => nodes.find((each) => each.node === node)!.application.extension(),
    })
    return signer.certify(value)
  }

  it('takes epoch after epoch, the same everywhere, each durable with its certificate and state', async () => {
    for (let height = 1; height <= 3; height++) {
      const reports = mesh.nodes.map((node) => mesh.report(node, [height, 0], height))
      for (const { application } of nodes) for (const bytes of reports) application.reports.put(bytes)
      await decide()
    }
    const [first, ...others] = nodes.map(({ application }) => stateCodec.encode(application.state))
    for (const other of others) expect(other).to.deep.equal(first)
    const { store, finals } = nodes[1]!
    expect(store.epochs.map(({ height }) => height)).to.deep.equal([1, 2, 3])
    expect(store.epochs[2]!.state).to.deep.equal(first)
    expect(finals[2]!.block.reports).to.have.length(4)
    expect(finals[2]!.certificate).to.deep.equal(certificateCodec.decode(store.epochs[2]!.certificate))
    expect(finalCodec.decode(finalCodec.encode(finals[2]!))).to.have.property('certificate')
  })

  it('fetches what a block must carry and it does not hold', async () => {
    const report = mesh.report(mesh.nodes[2]!, [9, 9], 1)
    for (const { application } of nodes.slice(1)) application.reports.put(report)
    await decide()
    const { bytes } = await decide()
    expect(openBlock(bytes)).to.have.deep.property('reports', [report])
  })

  it('is not kept from building by an author who says three things to three validators', async () => {
    const three = [1, 2, 3].map((seq) => mesh.report(mesh.nodes[2]!, [seq, 0], 1, seq))
    for (const [at, { application }] of nodes.entries()) {
      for (const [of, bytes] of three.entries()) if (of !== at % 3) application.reports.put(bytes)
    }
    await decide()
    const { bytes } = await decide()
    const block = openBlock(bytes)
    if (typeof block === 'string') throw new Error(block)
    expect(block.reports).to.have.length(2)
    expect(block.header.decision.reportingWeight).to.equal(0)
    await decide()
  })

  it('builds no block without them, nor when its round is over', async () => {
    const report = mesh.report(mesh.nodes[2]!, [9, 9], 1)
    for (const { application } of nodes.slice(1)) application.reports.put(report)
    await decide()
    for (const { application } of nodes.slice(1)) application.reports.enter({ ...application.state, height: 9 })
    const rejected = await nodes[0]!.application.propose(0, SIGNAL).catch((error: unknown) => error)
    expect(rejected).to.have.property('code', 'E_EPOCH_REPORT_MISSING')
    const aborted = await nodes[0]!.application.propose(0, AbortSignal.abort()).catch((error: unknown) => error)
    expect(aborted).to.have.property('code', 'E_ABORTED')
  })

  it('builds no block on a certificate that carries no extensions', async () => {
    const block = await nodes[0]!.application.propose(0, SIGNAL)
    const certificate = certified(block.value, 1)
    const signatures = certificate.signatures.map(({ validator, signature }) => ({ validator, signature }))
    await nodes[0]!.application.commit(block, { ...certificate, signatures })
    const rejected = await nodes[0]!.application.propose(0, SIGNAL).catch((error: unknown) => error)
    expect(rejected).to.have.property('code', 'E_EPOCH_EXTENSION')
  })

  it('refuses a block with the code of what is wrong, and never throws', async () => {
    const { application } = nodes[0]!
    const block = await application.propose(0, SIGNAL)
    const opened = openBlock(block.bytes)
    if (typeof opened === 'string') throw new Error(opened)
    const other = altered(opened, { header: { time: 5 } })
    const bytes = blockCodec.encode(other)
    expect(await application.check({ value: block.value, bytes })).to.equal('E_EPOCH_VALUE')
    expect(await application.check({ value: other.value, bytes })).to.equal('E_EPOCH_TIME')
    expect(await application.check({ value: block.value, bytes: Uint8Array.of(1) })).to.equal('E_EPOCH_MALFORMED')
  })

  it('makes no other block final than the one that was decided', async () => {
    const { application, store } = nodes[0]!
    const [block, other] = [await application.propose(0, SIGNAL), await application.propose(1, SIGNAL)]
    expect(other.bytes).to.not.deep.equal(block.bytes)
    const error = await application
      .commit({ value: block.value, bytes: other.bytes }, certified(block.value, 1))
      .catch((error: unknown) => error)
    expect(error).to.have.property('code', 'E_EPOCH_VALUE')
    expect([application.height, store.epochs.length]).to.deep.equal([0, 0])
  })

  it('reads back what it persisted', async () => {
    const { application } = nodes[0]!
    const block = await application.propose(0, SIGNAL)
    expect(await application.read(block.value)).to.equal(undefined)
    await application.persist(block)
    expect(await application.read(block.value)).to.deep.equal(block)
  })

  it('counts up only when the commit is durable, and goes on from what was stored', async () => {
    await decide()
    const { application, store } = nodes[0]!
    const block = await application.propose(0, SIGNAL)
    const certificate = certified(block.value, 2)
    store.isBroken = true
    const rejected = await application.commit(block, certificate).catch((error: unknown) => error)
    expect(rejected).to.have.property('message', 'disk')
    expect(application.height).to.equal(1)
    const last = store.epochs.at(-1)!
    const state: MeshState = stateCodec.decode(last.state)
    const restarted = new EpochApplication({
      state,
      certificate: certificateCodec.decode(last.certificate),
      ports: mesh.ports,
      store: new MemoryStore(),
      fetchReports: async () => [],
      now: () => 0,
    })
    expect((await restarted.propose(0, SIGNAL)).value).to.deep.equal(block.value)
    expect(await restarted.check(block)).to.equal(undefined)
  })

  it('takes no decided block that does not follow on its state', async () => {
    const first = await nodes[0]!.application.propose(0, SIGNAL)
    const certificate = certified(first.value, 1)
    const wrong = { value: first.value, bytes: Uint8Array.of(0) }
    const rejected = await nodes[1]!.application.commit(wrong, certificate).catch((error: unknown) => error)
    expect(rejected).to.have.property('code', 'E_EPOCH_MALFORMED')
    expect(nodes[1]!.application.height).to.equal(0)
  })

  it('takes an extension in just as a block does', async () => {
    const { application } = nodes[0]!
    const bytes = application.extension()
    expect(application.isExtension(mesh.nodes[0]!.key, bytes)).to.equal(true)
    expect(application.isExtension(mesh.nodes[0]!.key, bytes.subarray(1))).to.equal(false)
    const report = mesh.report(mesh.nodes[0]!, [1, 1], 1)
    application.reports.put(report)
    const named = application.extension()
    expect(application.isExtension(mesh.nodes[0]!.key, named)).to.equal(true)
    const beyond = named.slice()
    // The number of the reporter: there are four.
    beyond[beyond.length - 33] = 4
    expect(application.isExtension(mesh.nodes[0]!.key, beyond)).to.equal(false)
  })

  it('is busy while anything waits or moves', () => {
    const { application } = nodes[0]!
    expect(application.isBusy).to.equal(false)
    application.reports.put(mesh.report(mesh.nodes[0]!, [3, 4], 1))
    expect(application.isBusy).to.equal(true)
  })
})
