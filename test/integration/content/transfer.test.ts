import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { addFiles, bytesOf, collectAll, startContentNode, type ContentNode } from '../../helpers/content-node.ts'
import { connect } from '../../helpers/libp2p-pair.ts'

describe('content between two nodes', function () {
  this.timeout(20_000)
  let holder: ContentNode
  let reader: ContentNode
  const { signal } = new AbortController()

  beforeEach(async () => {
    ;[holder, reader] = await Promise.all([startContentNode(), startContentNode()])
    await connect(reader.libp2p, holder.libp2p)
  })
  afterEach(async () => {
    await Promise.all([holder.stop(), reader.stop()])
  })

  it('moves a file of many blocks', async () => {
    const bytes = randomBytes(20 * 2 ** 20 + 7)
    const [row] = await addFiles(holder, [{ path: 'file', bytes }])
    const got = await bytesOf(reader.content.cat(row!.cid, {}, signal))
    expect(got.equals(bytes)).to.equal(true)
    expect(row).to.include({ path: 'file', size: bytes.byteLength })
  })

  it('moves a directory, parents before children', async () => {
    const files = [
      { path: 'top/b/deep', bytes: Buffer.from('deep') },
      { path: 'top/a', bytes: Buffer.from('a') },
      { path: 'top/empty' },
    ]
    const rows = await addFiles(holder, files)
    const entries = await collectAll(reader.content.walk(rows.at(-1)!.cid, signal))
    expect(entries.map(({ path, type }) => `${type} ${path}`)).to.deep.equal([
      'directory ',
      'file a',
      'directory b',
      'file b/deep',
      'directory empty',
    ])
    expect((await bytesOf(entries[3]!.content!)).toString()).to.equal('deep')
  })
})
