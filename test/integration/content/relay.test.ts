import { expect } from 'chai'
import { addFiles, bytesOf, startContentNode } from '../../helpers/content-node.ts'
import { startLibp2p, until } from '../../helpers/libp2p-pair.ts'

describe('content over a relayed connection (traps 19)', function () {
  this.timeout(20_000)

  it('comes from a holder that nobody can dial', async () => {
    const relay = await startLibp2p({ isRelay: true })
    const listen = [`${relay.getMultiaddrs()[0]!.toString()}/p2p-circuit`]
    const holder = await startContentNode({}, { listen })
    // Listens nowhere, so that the holder cannot dial back, either.
    const reader = await startContentNode({}, { listen: [] })
    try {
      await until(() => holder.libp2p.getMultiaddrs().length > 0)
      const connection = await reader.libp2p.dial(holder.libp2p.getMultiaddrs())
      expect(connection.limits).to.be.an('object')
      const [row] = await addFiles(holder, [{ path: 'file', bytes: Buffer.alloc(60_000, 7) }])
      const bytes = await bytesOf(reader.content.cat(row!.cid, {}, new AbortController().signal))
      expect(bytes.equals(Buffer.alloc(60_000, 7))).to.equal(true)
      expect(reader.libp2p.getConnections(holder.libp2p.peerId).every(({ limits }) => limits !== undefined)).to.equal(
        true,
      )
    } finally {
      await Promise.all([holder.stop(), reader.stop(), relay.stop()])
    }
  })
})
