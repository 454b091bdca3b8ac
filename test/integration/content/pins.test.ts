import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { blockFiles } from '../../helpers/blocks.ts'
import { addFiles, startContentNode, type ContentNode } from '../../helpers/content-node.ts'
import { connect, until } from '../../helpers/libp2p-pair.ts'

const MIB = 2 ** 20
const { signal } = new AbortController()

describe('pins of a node on its own disk', function () {
  this.timeout(20_000)
  let nodes: ContentNode[]
  let local: ContentNode
  let remote: ContentNode
  beforeEach(async () => {
    nodes = [await startContentNode({ limits: { quotaBytes: 4 * MIB } }), await startContentNode()]
    ;[local, remote] = nodes as [ContentNode, ContentNode]
    await connect(local.libp2p, remote.libp2p)
  })
  afterEach(() => Promise.all(nodes.map((node) => node.stop())))

  const added = async (node: ContentNode, bytes: number): Promise<CID> => {
    const rows = await addFiles(node, [{ path: 'file', bytes: randomBytes(bytes) }])
    return CID.parse(rows.at(-1)!.cid)
  }
  const pin = (cid: CID) =>
    local.content.local.pin(cid, {
      mode: 'recursive',
      get: local.content.fetch([], { members: [remote.libp2p.peerId.toString()] }),
      signal,
    })

  it('a file that was damaged makes its pin fail when it is read, and comes again with the next attempt', async () => {
    const cid = await added(remote, 300_000)
    await pin(cid)
    const again = new Promise<unknown>((resolve) => local.content.local.onLost((root) => resolve(pin(root))))
    for (const file of await blockFiles(local.blocksPath)) await writeFile(file, randomBytes(300_000))
    expect(await local.content.stored(cid).catch((error: { code: string }) => error.code)).to.equal(undefined)
    expect(await again).to.include({ state: 'pinned', blocks: 1 })
    expect((await local.content.stored(cid))?.byteLength).to.equal(300_000)
  })

  it('have room where the store is full of what nobody pinned, and no more than that', async () => {
    const kept = await added(local, MIB)
    await pin(kept)
    const cache = await added(local, 2.5 * MIB)
    expect(await pin(await added(remote, 2 * MIB))).to.include({ state: 'pinned' })
    expect(await local.content.stored(cache)).to.equal(undefined)
    expect((await local.content.stored(kept))?.byteLength).to.equal(MIB)
    const refused = await pin(await added(remote, 2 * MIB)).catch((error: { code: string }) => error.code)
    expect(refused).to.equal('E_QUOTA')
    await until(async () => (await local.content.local.stat()).pins.failed === 1)
  })
})
