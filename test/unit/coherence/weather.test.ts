import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { AnalyzeOptions } from '../../../node/coherence/index.ts'
import { analyze } from '../../../node/coherence/index.ts'

interface Figures {
  blocks: number
  T_boxcar_all: [number, number]
  T2: number
  leaky_tau10d_final: [number, number]
  leaky_T2_final: number
  days_leaky_T2_ge_095: number
  first_day_ge_095: number
}

const fixture = new URL('../../fixtures/coherence/weather-reference.json', import.meta.url)
const reference = JSON.parse(readFileSync(fixture, 'utf8')) as Record<string, Figures>
const file = fileURLToPath(new URL('../../../bootstrap/recording/seattle-weather-hourly-normals.csv', import.meta.url))
const DAY = 86_400

function daily(column: string, more: Partial<AnalyzeOptions>) {
  const options = { file, column, block: 24, rateHz: 1 / 3600, periodS: DAY, ...more }
  return analyze(options, { signal: new AbortController().signal })
}

describe('coherence: the shipped recording, to 1e-9 of the reference', () => {
  for (const column of ['temperature', 'wind', 'pressure']) {
    const wanted = reference[column]!

    it(`${column}: mean over the year`, async () => {
      const { samples, blocks, t, magnitudeSquared } = await daily(column, { window: 364 })
      expect([samples, blocks]).to.deep.equal([8759, wanted.blocks])
      expect(t[0]).to.be.closeTo(wanted.T_boxcar_all[0], 1e-9)
      expect(t[1]).to.be.closeTo(wanted.T_boxcar_all[1], 1e-9)
      expect(magnitudeSquared).to.be.closeTo(wanted.T2, 1e-9)
    })

    it(`${column}: tau 10 days, collapse on day ${wanted.first_day_ge_095}`, async () => {
      const { t, magnitudeSquared, nEff, firstCollapse, series } = await daily(column, { tauS: 10 * DAY, every: 1 })
      expect(t[0]).to.be.closeTo(wanted.leaky_tau10d_final[0], 1e-9)
      expect(t[1]).to.be.closeTo(wanted.leaky_tau10d_final[1], 1e-9)
      expect(magnitudeSquared).to.be.closeTo(wanted.leaky_T2_final, 1e-9)
      expect(nEff).to.be.closeTo(20, 0.02)
      expect(firstCollapse! / DAY).to.be.closeTo(wanted.first_day_ge_095, 1e-9)
      expect(series.filter((point) => point.magnitudeSquared >= 0.95)).to.have.length(wanted.days_leaky_T2_ge_095)
    })
  }

  it('temperature stays collapsed from day 36 on; pressure leaves the latch at last', async () => {
    const temperature = await daily('temperature', { tauS: 10 * DAY })
    expect(temperature.collapsed).to.equal(true)
    expect(temperature.intervals.map((span) => span.map((time) => Math.round(time / DAY)))).to.deep.equal([[36, 363]])
    const pressure = await daily('pressure', { tauS: 10 * DAY })
    expect(pressure.collapsed).to.equal(false)
    expect(pressure.magnitudeSquared).to.be.within(0.8998, 0.9)
  })
})
