import { randomBytes } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import type { FetchOptions, FetchProblem, MemberPorts } from '../../../node/content/index.ts'
import { BLOCKS_PROTOCOL } from '../../../protocols/blocks/index.ts'
import { randomBlocks, startBlockServer, type BlockServer, type TestBlock } from '../../helpers/block-peers.ts'
import { addFiles, bytesOf, codeThrown, startContentNode, type ContentNode } from '../../helpers/content-node.ts'
import { connect, startLibp2p, until } from '../../helpers/libp2p-pair.ts'

const MIB = 2 ** 20
const { signal } = new AbortController()

describe('fetching blocks from members', function () {
  this.timeout(20_000)
  let reader: ContentNode
  let verdicts: string[]
  let fetched: { blocks: number; bytes: number }
  let stops: (() => Promise<unknown>)[]

  const serve = async (
    blocks: TestBlock[],
    init: Parameters<typeof startBlockServer>[0] = {},
  ): Promise<BlockServer> => {
    const server = await startBlockServer(init)
    stops.push(async () => {
      await server.handler.stop()
      await server.libp2p.stop()
    })
    for (const { cid, bytes } of blocks) server.blocks.set(cid.toString(), bytes)
    await connect(reader.libp2p, server.libp2p)
    return server
  }
  const startNode = async (init: Parameters<typeof startContentNode>[0] = {}): Promise<ContentNode> => {
    const node = await startContentNode(init)
    stops.push(() => node.stop())
    return node
  }
  const fetchAll = (blocks: TestBlock[], options: FetchOptions): Promise<Uint8Array[]> => {
    const get = reader.content.fetching(options)
    return Promise.all(blocks.map(({ cid }) => get(cid, signal)))
  }
  const areSame = (got: Uint8Array[], blocks: TestBlock[]): boolean =>
    got.every((bytes, i) => Buffer.compare(bytes, blocks[i]!.bytes) === 0)
  const members = (more: Partial<MemberPorts> = {}): MemberPorts => ({
    mayPush: () => true,
    lease: () => ({ add: () => undefined, release: () => undefined }),
    judge: (_peer, verdict) => void verdicts.push(verdict.kind === 'accept' ? '' : verdict.code),
    ...more,
  })

  beforeEach(async () => {
    stops = []
    verdicts = []
    fetched = { blocks: 0, bytes: 0 }
    const transferred: MemberPorts['transferred'] = (what, blocks, bytes) => {
      if (what === 'fetched') fetched = { blocks: fetched.blocks + blocks, bytes: fetched.bytes + bytes }
    }
    reader = await startNode({ members: members({ transferred }) })
  })
  afterEach(async () => {
    await Promise.all(stops.map((stop) => stop()))
  })

  it('shares the work among several holders, keeps what came, and counts it', async () => {
    const blocks = await randomBlocks(40, MIB / 4)
    const servers = await Promise.all([serve(blocks), serve(blocks), serve(blocks)])
    const holders = servers.map(({ peer }) => peer)
    const got = await fetchAll(blocks, { holders })
    expect(areSame(got, blocks)).to.equal(true)
    expect(servers.every((server) => server.loaded() > 2 * MIB)).to.equal(true)
    expect(servers.reduce((sum, server) => sum + server.loaded(), 0)).to.equal(10 * MIB)
    expect(fetched).to.deep.equal({ blocks: 40, bytes: 10 * MIB })
    expect((await reader.content.usage()).usedBytes).to.equal(10 * MIB)
  })

  it('gets elsewhere what a lying holder sends wrongly, and scores that holder', async () => {
    const blocks = await randomBlocks(20, 1000)
    const liar = await serve(blocks.map(({ cid }) => ({ cid, bytes: randomBytes(1000) })))
    const honest = await serve(blocks)
    const got = await fetchAll(blocks, { holders: [liar.peer, honest.peer] })
    expect(areSame(got, blocks)).to.equal(true)
    expect(verdicts).to.deep.equal(['E_BLOCKS_WRONG'])
  })

  it('asks the next holder for what one has not', async () => {
    const blocks = await randomBlocks(10, 100)
    const empty = await serve([])
    const full = await serve(blocks)
    expect(areSame(await fetchAll(blocks, { holders: [empty.peer, full.peer] }), blocks)).to.equal(true)
  })

  it('gives the wants of a silent holder to another', async () => {
    const blocks = await randomBlocks(10, 100)
    const never = (): Promise<never> => new Promise(() => {})
    const silent = await serve([], { source: { sizeOf: never, get: never } })
    const full = await serve(blocks)
    const began = performance.now()
    expect(areSame(await fetchAll(blocks, { holders: [silent.peer, full.peer] }), blocks)).to.equal(true)
    // Long before a silent peer is given up.
    expect(performance.now() - began).to.be.lessThan(15_000)
  })

  it('falls back to bitswap for a holder that speaks nothing else', async () => {
    const holder = await startNode()
    await holder.libp2p.unhandle(BLOCKS_PROTOCOL)
    await connect(reader.libp2p, holder.libp2p)
    const bytes = randomBytes(5 * MIB)
    const [row] = await addFiles(holder, [{ path: 'file', bytes }])
    expect(bytes.equals(await bytesOf(reader.content.cat(row!.cid, {}, signal)))).to.equal(true)
  })

  it('asks a holder over our protocol for all but what finds it', async () => {
    const holder = await startNode()
    await connect(reader.libp2p, holder.libp2p)
    const [row] = await addFiles(holder, [{ path: 'file', bytes: randomBytes(8 * MIB) }])
    let wants = 0
    const openedStreams = (): number =>
      reader.libp2p
        .getConnections()
        .flatMap(({ streams }) => streams)
        .filter(({ protocol }) => protocol === BLOCKS_PROTOCOL).length
    for await (const _ of reader.content.cat(row!.cid, {}, signal)) wants = Math.max(wants, openedStreams())
    expect(wants).to.equal(1)
  })

  it('says why a block does not come: nobody has it, or its holder cannot be reached', async () => {
    const quick = await startNode({ limits: { quotaBytes: MIB, blockTimeoutMs: 300 } })
    const gone = await startLibp2p()
    await quick.libp2p.peerStore.patch(gone.peerId, { multiaddrs: gone.getMultiaddrs() })
    await gone.stop()
    const [block, other] = await randomBlocks(2, 10)
    const problemOf = async (cid: CID, holders: PeerId[]): Promise<FetchProblem> => {
      const problems: FetchProblem[] = []
      const get = quick.content.fetching({ holders, onProblem: (problem) => problems.push(problem) })
      const failure = await get(cid, signal).catch((error: unknown) => error)
      expect(failure).to.have.property('code', 'E_CONTENT_NOT_FOUND')
      expect(failure).to.have.property('problem').that.deep.equals(problems.at(-1))
      return problems.at(-1)!
    }
    expect(await problemOf(block!.cid, [])).to.include({ code: 'no_providers', missing: block!.cid.toString() })
    expect(await problemOf(other!.cid, [gone.peerId])).to.include({
      code: 'dial_failed',
      missing: other!.cid.toString(),
    })
  })

  it('reads around the store when it is told to', async () => {
    const [block] = await randomBlocks(1, MIB)
    const holder = await serve([block!])
    await fetchAll([block!], { holders: [holder.peer] })
    await fetchAll([block!], { holders: [holder.peer] })
    expect(holder.loaded()).to.equal(MIB)
    await fetchAll([block!], { holders: [holder.peer], isRemote: true })
    expect(holder.loaded()).to.equal(2 * MIB)
  })

  it('ends when the store is full, without asking anybody else', async () => {
    const blocks = await randomBlocks(4, MIB)
    const small = await startNode({ limits: { quotaBytes: 2 * MIB } })
    const holder = await serve(blocks)
    await connect(small.libp2p, holder.libp2p)
    const get = small.content.fetching({ holders: [holder.peer] })
    const codes = await Promise.all(blocks.map(({ cid }) => codeThrown(() => get(cid, signal)).catch(() => 'came')))
    expect(codes.sort()).to.deep.equal(['E_QUOTA', 'E_QUOTA', 'came', 'came'])
  })

  it('pushes blocks to a member, which holds them, until its quota is full', async () => {
    const member = await startNode({ limits: { quotaBytes: 5 * MIB }, members: members() })
    await connect(reader.libp2p, member.libp2p)
    const blocks = await randomBlocks(6, MIB)
    const push = await reader.content.pushTo(member.libp2p.peerId, signal)
    for (const { cid, bytes } of blocks.slice(0, 5)) await push.push(cid, bytes)
    expect((await member.content.usage()).usedBytes).to.equal(5 * MIB)
    const areHeld = await Promise.all(blocks.map(({ cid }) => member.content.local.isHeld(cid)))
    expect(areHeld).to.deep.equal([true, true, true, true, true, false])
    expect(await codeThrown(() => push.push(blocks[5]!.cid, blocks[5]!.bytes))).to.equal('E_QUOTA')
    await until(() => member.libp2p.getConnections().every(({ streams }) => streams.length === 0))
  })
})
