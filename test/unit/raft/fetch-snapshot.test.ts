import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create as createDigest } from 'multiformats/hashes/digest'
import { sha256 } from 'multiformats/hashes/sha2'
import { FETCH_CONCURRENCY, MAX_CIDS } from '../../../protocols/raft/constants.ts'
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
    expect(read).to.be.at.most(1024 + FETCH_CONCURRENCY)
  })

  it('knows of little at a time: what was found last is looked at first', async () => {
    const DEPTH = 4
    const LINKS = 16
    const cidAt = (depth: number) => CID.createV1(raw.code, createDigest(sha256.code, new Uint8Array(32).fill(depth)))
    let [known, most] = [1, 1]
    const { found } = await fetchSnapshot(cidAt(0), {
      open: () => Promise.reject(new Error('everything is here')),
      peer,
      signal: new AbortController().signal,
      get: async () => new Uint8Array(1),
      put: async () => {},
      links: ({ cid }) => {
        const depth = cid.multihash.digest[0]!
        const links = Array.from({ length: depth < DEPTH ? LINKS : 0 }, () => cidAt(depth + 1))
        known += links.length - 1
        most = Math.max(most, known)
        return links
      },
      judge: () => {},
    })
    expect(found).to.equal((LINKS ** (DEPTH + 1) - 1) / (LINKS - 1))
    expect(most).to.be.lessThan(MAX_CIDS * LINKS * FETCH_CONCURRENCY)
    expect(most).to.be.lessThan(LINKS ** DEPTH / 8)
  })
})
