import { expect } from 'chai'
import type { Stream } from '@libp2p/interface'
import { askPins, createPinsHandler, PINS_PROTOCOL, type PinsHandler } from '../../protocols/pins/index.ts'
import { pinsRequestCodec } from '../../protocols/pins/codec.ts'
import { writeFrame } from '../../protocols/shared/frames.ts'
import { codeThrown } from '../helpers/content-node.ts'
import { connect, startLibp2p, until, type TestLibp2p } from '../helpers/libp2p-pair.ts'

const { signal } = new AbortController()
const LIST = { op: 'list' as const, args: [] }

describe('/kairos/pins/1.0.0', () => {
  let light: TestLibp2p
  let full: TestLibp2p
  let handler: PinsHandler
  let faults: string[]
  let isGuest = true

  beforeEach(async () => {
    ;[light, full] = await Promise.all([startLibp2p(), startLibp2p()])
    await connect(light, full)
    ;[faults, isGuest] = [[], true]
    handler = createPinsHandler({
      libp2p: full,
      isGuest: () => isGuest,
      serve: async (op) => ({ op }),
      judge: (_peer, verdict) => faults.push('code' in verdict ? verdict.code : verdict.kind),
      log: full.logger.forComponent('pins'),
    })
    await handler.start()
  })
  afterEach(async () => {
    await handler.stop()
    await Promise.all([light.stop(), full.stop()])
  })

  const open = (): Promise<Stream> => light.dialProtocol(full.peerId, PINS_PROTOCOL)

  it('serves a member of the cell, and refuses a stranger, at no cost', async () => {
    expect(await askPins(light, full.peerId, LIST, signal)).to.deep.equal({ op: 'list' })
    isGuest = false
    expect(await codeThrown(() => askPins(light, full.peerId, LIST, signal))).to.equal('E_PINS_STRANGER')
    expect(faults).to.deep.equal([])
  })

  it('a malformed request, and a second one, cost the peer', async () => {
    await writeFrame(await open(), Uint8Array.of(1, 2, 3), signal)
    await until(() => faults.length === 1)
    const stream = await open()
    const body = pinsRequestCodec.encode(LIST)
    await writeFrame(stream, body, signal)
    await writeFrame(stream, body, signal)
    await until(() => faults.length === 2)
    expect(faults[0]).to.match(/^E_FRAME_/)
    expect(faults[1]).to.equal('E_PINS_PROTOCOL')
  })
})
