import { expect } from 'chai'
import { createMetrics } from '../../../node/telemetry/metrics.ts'
import { observePins, pinCounters } from '../../../node/telemetry/pin-metrics.ts'

describe('metrics of pins', () => {
  it('count blocks and their bytes as they come and go', async () => {
    const metrics = createMetrics()
    const counters = pinCounters(metrics)
    counters.transferred('fetched', 1, 300)
    counters.transferred('fetched', 1, 200)
    counters.transferred('served', 3, 3_000)
    const text = await metrics.scrape()
    for (const line of [
      'kairos_blocks_fetched_total 2',
      'kairos_blocks_fetched_bytes_total 500',
      'kairos_blocks_served_total 3',
      'kairos_blocks_served_bytes_total 3000',
      'kairos_blocks_pushed_bytes_total 0',
    ])
      expect(text).to.contain(`${line}\n`)
  })

  it('look at what is under way once a scrape', async () => {
    const metrics = createMetrics()
    let looks = 0
    observePins(metrics, {
      pins: {
        get counts() {
          looks += 1
          return { pinning: 2 }
        },
      },
      content: {
        repo: { stat: async () => ({ pins: { pinned: 1 }, usedBytes: 1, quotaBytes: 2, blocks: 3 }) },
        local: { stat: async () => ({ bytes: 1 }) },
      } as never,
      cell: undefined,
    })
    expect(await metrics.scrape()).to.contain('kairos_pins_under_way_count{status="pinning"} 2\n')
    expect(looks).to.equal(1)
  })
})
