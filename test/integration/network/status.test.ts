import { expect } from 'chai'
import { once } from 'node:events'
import type { Network } from '../../../node/network/types.ts'
import { STATUS_PROTOCOL, statusCodec, type PeerStatus, type StatusMessage } from '../../../protocols/status/index.ts'
import { readFrames, writeFrame } from '../../../protocols/shared/frames.ts'
import { addressOf, TestMesh, until } from './mesh.ts'

describe('network: status', () => {
  let mesh: TestMesh

  beforeEach(async () => {
    mesh = await TestMesh.create(['full', 'light'])
  })

  afterEach(() => mesh.stopAll())

  it('a node that runs another role than its certificate gives is sent off, and both sides hear why', async () => {
    for (const liarDials of [true, false]) {
      const honest = await mesh.start(0)
      const liar = await mesh.start(1, { role: 'full' })
      const heard = Promise.all([once(honest.events, 'refused'), once(liar.events, 'refused')])
      if (liarDials) await liar.connect(addressOf(honest), AbortSignal.timeout(5000))
      else await honest.connect(addressOf(liar), AbortSignal.timeout(5000))
      const [[ours], [theirs]] = await heard
      expect(ours).to.include({ peerId: mesh.seat(1).peerId, code: 'E_STATUS_ROLE', side: 'local' })
      expect(theirs).to.include({ peerId: mesh.seat(0).peerId, code: 'E_STATUS_ROLE', side: 'remote' })
      expect(theirs.message).to.contain('your certificate says light')
      await until(() => honest.libp2p.getPeers().length === 0 && liar.libp2p.getPeers().length === 0)
      expect(honest.status(mesh.seat(1).peerId)).to.equal(undefined)
      await mesh.stopAll()
    }
  })

  /** Speaks status by hand on behalf of a node whose own status service is silenced. */
  async function say(from: Network, to: Network, change: Partial<PeerStatus>): Promise<StatusMessage> {
    await from.libp2p.dial(to.libp2p.getMultiaddrs())
    const stream = await from.libp2p.dialProtocol(to.libp2p.peerId, STATUS_PROTOCOL)
    const { cell, name } = { cell: 'cell0', name: 'node1' }
    const own: PeerStatus = {
      role: 'light',
      cell,
      name,
      version: '9',
      protocolVersion: 1,
      heads: {},
      time: 1,
      ...change,
    }
    await writeFrame(stream, statusCodec.encode({ type: 'status', ...own }))
    for await (const frame of readFrames(stream, { maxFrameBytes: 4096 })) return statusCodec.decode(frame)
    throw new Error('no answer')
  }

  it('a cell that is not the certificate’s, and a version too far away, are refused with their codes', async () => {
    for (const [change, code] of [
      [{ cell: 'other' }, 'E_STATUS_CELL'],
      [{ protocolVersion: 3 }, 'E_VERSION_UNSUPPORTED'],
    ] as const) {
      const target = await mesh.start(0)
      const peer = await mesh.start(1)
      const refused = once(target.events, 'refused')
      expect(await say(peer, target, change)).to.include({ type: 'refused', code })
      expect((await refused)[0]).to.include({ code, side: 'local' })
      await until(() => target.libp2p.getPeers().length === 0)
      await mesh.stopAll()
    }
  })

  it('a neighbouring version is spoken with, and the latest status is kept', async () => {
    const target = await mesh.start(0)
    const peer = await mesh.start(1, { heads: () => ({ memory: 'bafy' }) })
    expect(await say(peer, target, { protocolVersion: 2 })).to.include({ type: 'status', role: 'full' })
    await until(() => target.status(mesh.seat(1).peerId) !== undefined)
    await until(
      () =>
        target.status(mesh.seat(1).peerId)?.heads['memory'] === 'bafy' ||
        target.status(mesh.seat(1).peerId)?.version === '9',
    )
    expect(target.libp2p.getPeers()).to.have.length(1)
  })

  it('garbage and oversize frames reset the stream, not the connection', async () => {
    const target = await mesh.start(0)
    const peer = await mesh.start(1)
    await peer.connect(addressOf(target), AbortSignal.timeout(5000))
    await until(() => target.status(mesh.seat(1).peerId) !== undefined)
    for (const bytes of [Uint8Array.of(3, 1, 2, 3), Uint8Array.of(0xff, 0xff, 0x7f)]) {
      const stream = await peer.libp2p.dialProtocol(target.libp2p.peerId, STATUS_PROTOCOL)
      stream.send(bytes)
      await until(() => stream.status !== 'open')
    }
    expect(target.libp2p.getPeers()).to.have.length(1)
  })

  it('a peer that does not speak it is of another release', async () => {
    const target = await mesh.start(0)
    const old = await mesh.start(1)
    await old.libp2p.unhandle(STATUS_PROTOCOL)
    const refused = once(target.events, 'refused')
    await target.connect(addressOf(old), AbortSignal.timeout(5000))
    expect((await refused)[0]).to.include({ code: 'E_VERSION_UNSUPPORTED', side: 'local' })
    await until(() => target.libp2p.getPeers().length === 0)
  })
})
