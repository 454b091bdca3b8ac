import { defaultLogger } from '@libp2p/logger'
import { expect } from 'chai'
import { EventEmitter } from 'node:events'
import { mock } from 'node:test'
import { Neighbourhood } from '../../../node/network/neighbourhood.ts'

const SETTLE_MS = 500
const RETRY_MS = 10_000

describe('network: neighbours from the DHT', () => {
  let events: EventEmitter
  /** Questions to the DHT, in their order. */
  let asked: PromiseWithResolvers<void>[]
  /** By anybody: the DHT gives nothing where all have failed. */
  let isAnswered: boolean
  let part: Neighbourhood

  const settled = (): Promise<void> => new Promise(setImmediate)
  const arrive = (): boolean => events.emit('peer:identify')

  beforeEach(async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    events = new EventEmitter()
    asked = []
    isAnswered = true
    const libp2p = {
      addEventListener: (type: string, listener: () => void) => events.on(type, listener),
      removeEventListener: (type: string, listener: () => void) => events.off(type, listener),
      getPeers: () => ['somebody'],
      peerId: { toMultihash: () => ({ bytes: new Uint8Array() }) },
      peerRouting: {
        async *getClosestPeers() {
          const question = Promise.withResolvers<void>()
          asked.push(question)
          await question.promise
          if (isAnswered) yield { id: 'a neighbour', multiaddrs: [] }
        },
      },
      peerStore: { merge: async () => undefined },
    }
    part = new Neighbourhood({ libp2p: libp2p as never, logger: defaultLogger(), wanted: () => true })
    await part.start()
  })
  afterEach(async () => {
    await part.stop()
    mock.timers.reset()
  })

  it('asks once for those who come together, and again for who came while it asked', async () => {
    for (let i = 0; i < 3; i++) arrive()
    mock.timers.tick(SETTLE_MS)
    arrive()
    mock.timers.tick(SETTLE_MS)
    expect(asked).to.have.lengthOf(1)
    asked[0]!.resolve()
    await settled()
    mock.timers.tick(SETTLE_MS)
    expect(asked).to.have.lengthOf(2)
    asked[1]!.resolve()
    await settled()
    mock.timers.tick(60_000)
    expect(asked).to.have.lengthOf(2)
  })

  it('asks again after a while when nobody answered, and sooner when somebody comes', async () => {
    arrive()
    mock.timers.tick(SETTLE_MS)
    asked[0]!.reject(new Error('too late'))
    await settled()
    mock.timers.tick(RETRY_MS - 1)
    expect(asked).to.have.lengthOf(1)
    mock.timers.tick(1)
    expect(asked).to.have.lengthOf(2)
    isAnswered = false
    asked[1]!.resolve()
    await settled()
    arrive()
    mock.timers.tick(SETTLE_MS)
    expect(asked).to.have.lengthOf(3)
    isAnswered = true
    asked[2]!.resolve()
    await settled()
    mock.timers.tick(RETRY_MS)
    expect(asked).to.have.lengthOf(3)
  })

  it('does not put off whom it is to look for while more and more come', () => {
    for (let i = 0; i < 5; i++) {
      arrive()
      mock.timers.tick(SETTLE_MS / 5)
    }
    expect(asked).to.have.lengthOf(1)
  })

  it('asks nobody when it has stopped before', async () => {
    arrive()
    await part.stop()
    mock.timers.tick(60_000)
    expect(asked).to.deep.equal([])
  })

  it('asks no more when it has stopped while it asked, nor after', async () => {
    arrive()
    mock.timers.tick(SETTLE_MS)
    arrive()
    await part.stop()
    asked[0]!.reject(new Error('stopped'))
    await settled()
    arrive()
    mock.timers.tick(60_000)
    expect(asked).to.have.lengthOf(1)
  })
})
