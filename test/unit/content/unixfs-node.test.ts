import * as dagPb from '@ipld/dag-pb'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { decodeNode } from '../../../node/content/unixfs-node.ts'
import { codeThrown } from '../../helpers/content-node.ts'

const LEAF = CID.parse('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
const NODE = CID.createV1(dagPb.code, LEAF.multihash)

function block(unixfs: UnixFS, links: { Name: string; Hash: CID }[]): Uint8Array {
  return dagPb.encode(dagPb.prepare({ Data: unixfs.marshal(), Links: links.map((link) => ({ ...link, Tsize: 1 })) }))
}

describe('decodeNode', () => {
  it('reads files, directories and shards', () => {
    const link = { Name: 'a', Hash: LEAF }
    expect(decodeNode(CID.createV1(raw.code, LEAF.multihash), new Uint8Array(3))).to.include({ type: 'raw', size: 3 })
    const file = decodeNode(NODE, block(new UnixFS({ type: 'file', blockSizes: [5n] }), [{ Name: '', Hash: LEAF }]))
    expect(file).to.deep.include({ type: 'file', size: 5, links: [{ cid: LEAF, size: 5 }] })
    const directory = decodeNode(NODE, block(new UnixFS({ type: 'directory' }), [link]))
    expect(directory).to.deep.equal({ type: 'directory', links: [{ cid: LEAF, name: 'a' }] })
    const shard = new UnixFS({ type: 'hamt-sharded-directory', fanout: 256n, hashType: 0x22n })
    expect(decodeNode(NODE, block(shard, [{ Name: '0Aa', Hash: LEAF }]))).to.include({ type: 'shard', prefixLength: 2 })
  })

  it('refuses a file whose sizes and links differ, an impossible size, an impossible table', async () => {
    const bad = [
      block(new UnixFS({ type: 'file', blockSizes: [1n, 2n] }), [{ Name: '', Hash: LEAF }]),
      block(new UnixFS({ type: 'file', blockSizes: [2n ** 60n] }), [{ Name: '', Hash: LEAF }]),
      block(new UnixFS({ type: 'hamt-sharded-directory', fanout: 2n ** 40n }), []),
      block(new UnixFS({ type: 'symlink', data: new TextEncoder().encode('/etc/passwd') }), []),
      dagPb.encode({ Links: [] }),
    ]
    for (const bytes of bad) expect(await codeThrown(async () => decodeNode(NODE, bytes))).to.equal('E_NOT_UNIXFS')
  })

  it('throws nothing but coded errors for arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 256 }), (bytes) => {
        try {
          decodeNode(NODE, bytes)
        } catch (error) {
          expect(error).to.have.property('code', 'E_NOT_UNIXFS')
        }
      }),
      { numRuns: 2000 },
    )
  })
})
