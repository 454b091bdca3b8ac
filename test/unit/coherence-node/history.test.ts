import { expect } from 'chai'
import { createHistory, type HistoryInit } from '../../../node/coherence/history.ts'
import { configSchema } from '../../../node/config/schema.ts'
import { EventLog } from '../../../node/events.ts'
import { until } from '../../helpers/libp2p-pair.ts'

describe('coherence history', () => {
  const global = { t: [0, 0], magnitudeSquared: 0, collapsed: false }
  let own: { t: { re: number; im: number }; collapsed: boolean }
  let isLive: boolean
  let events: { type: string; data: Record<string, unknown> }[]
  let history: ReturnType<typeof createHistory>

  beforeEach(async () => {
    own = { t: { re: 0.6, im: 0.8 }, collapsed: false }
    isLive = true
    events = []
    const log = new EventLog()
    const publish = log.publish.bind(log)
    log.publish = (type, data) => {
      events.push({ type, data })
      publish(type, data)
    }
    history = createHistory({
      config: configSchema.parse({ phase: { rate_s: 0.2 } }),
      coherence: {
        engine: {
          get own() {
            return own
          },
        },
        get isLive() {
          return isLive
        },
      } as unknown as HistoryInit['coherence'],
      pool: { global: () => global } as unknown as HistoryInit['pool'],
      events: log,
    })
    await history.start()
  })
  afterEach(() => history.stop())
  const points = (limit = 10, since?: number) => history.points({ limit, ...(since === undefined ? {} : { since }) })
  const flips = () => events.filter(({ type }) => type === 'collapse').map(({ data }) => data)

  it('looks once a period, oldest first, and gives the last of what was asked for', async () => {
    await until(() => points().length === 3)
    const [first, second, third] = points()
    expect([first!.time < second!.time, second!.time < third!.time]).to.deep.equal([true, true])
    expect(first).to.deep.include({ t: [0.6, 0.8], magnitudeSquared: 1, collapsed: false, global })
    expect(points(1)).to.deep.equal([third])
    expect(points(10, first!.time)).to.deep.equal([second, third])
  })

  it('tells a collapse, and its end when the signal falls silent', async () => {
    own = { ...own, collapsed: true }
    await until(() => flips().length === 1)
    isLive = false
    await until(() => flips().length === 2)
    expect(flips().map(({ scope, collapsed }) => [scope, collapsed])).to.deep.equal([
      ['node', true],
      ['node', false],
    ])
    expect(points(1)[0]).to.deep.include({ t: null, magnitudeSquared: null, collapsed: null })
  })
})
