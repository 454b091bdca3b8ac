import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { fetchSnapshot } from '../../../protocols/raft/index.ts'
import { codeThrown } from '../../helpers/content-node.ts'

const peer = peerIdFromString('12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5')

describe('the fetch of a snapshot', () => {
  it('ends where a tree has more blocks than a state can have, though they are few that come again and again', async () => {
    const root = CID.createV1(raw.code, await sha256.digest(new Uint8Array(1)))
    let read = 0
    const fetch = fetchSnapshot(root, {
      open: () => Promise.reject(new Error('everything is here')),
      peer,
      signal: new AbortController().signal,
      get: async () => {
        read++
        return new Uint8Array(1)
      },
      put: async () => {},
      links: () => Array<CID>(1024).fill(root),
      judge: () => {},
    })
    expect(await codeThrown(() => fetch)).to.equal('E_RAFT_SNAPSHOT_TOO_LARGE')
    expect(read).to.be.at.most(1 + 1024)
  })
})
