import { expect } from 'chai'
import { clusterEnv, heldIn, versionIn } from '../../bench/kubo-cluster.ts'
import { measureInside } from '../../bench/kubo-peers.ts'
import { urlOf } from '../../bench/kubo.ts'
import { isLoopbackOnly } from '../../bench/loopback-only.ts'

const place = { path: '/somewhere', secret: '00'.repeat(32), kubo: '/ip4/127.0.0.1/tcp/5001' }
const pin = (...words: string[]) =>
  `${JSON.stringify({ cid: 'bafy', peer_map: Object.fromEntries(words.map((status, n) => [`peer${n}`, { status }])) })}\n`

describe('Kubo and IPFS Cluster, to be measured beside', () => {
  it('reads the version out of what the program says', () => {
    expect(versionIn('ipfs-cluster-service version 1.1.0+git3fbc4a1\n')).to.equal('1.1.0+git3fbc4a1')
    expect(versionIn('no such command\n')).to.equal(undefined)
  })

  it('asks an API where its address says that it listens', () => {
    expect(urlOf('/ip4/127.0.0.1/tcp/5001')).to.equal('http://127.0.0.1:5001')
  })

  it('has every peer listen on loopback alone, under ports of its own', () => {
    const listens = [0, 1, 2].flatMap((n) => {
      const env = clusterEnv({ ...place, n })
      return Object.keys(env).flatMap((key) => (key.includes('LISTEN') ? [env[key]!] : []))
    })
    expect(listens).to.have.length(12)
    expect(new Set(listens).size).to.equal(12)
    for (const address of listens) expect(address).to.match(/^\/ip4\/127\.0\.0\.1\/tcp\/9\d{3}$/)
  })

  it('gives each peer its Kubo, and the secret that they share', () => {
    const env = clusterEnv({ ...place, n: 1 })
    expect(env.CLUSTER_IPFSHTTP_NODEMULTIADDRESS).to.equal(place.kubo)
    expect(env.CLUSTER_SECRET).to.equal(place.secret)
    expect(env.IPFS_CLUSTER_PATH).to.equal(place.path)
  })

  it('counts a pin when all its copies are pinned, and no sooner', () => {
    const all = pin('pinned', 'pinned', 'pinned')
    expect(heldIn(all + pin('pinned', 'pinning', 'pinned') + pin('pinned', 'pinned', 'remote') + all, 3)).to.equal(2)
    expect(heldIn('', 3)).to.equal(0)
  })

  it('runs where there is only loopback, and nowhere else', () => {
    expect(isLoopbackOnly({ lo: [{ internal: true }, { internal: true }] })).to.equal(true)
    expect(isLoopbackOnly({ lo: [{ internal: true }], eth0: [{ internal: false }] })).to.equal(false)
  })

  it('says which program is missing, and does not fail', async () => {
    const peer = {
      name: 'IPFS Cluster',
      beside: 'pins',
      versions: { ipfs: '0.43.0', 'ipfs-cluster-service': undefined },
    }
    const { figures, remarks } = await measureInside(peer, ['pins'], () => {
      throw new Error('nothing is to be run')
    })
    expect(figures).to.deep.equal([])
    expect(remarks).to.deep.equal([
      'IPFS Cluster was asked for, and was not measured: the PATH has no ipfs-cluster-service.',
    ])
  })
})
