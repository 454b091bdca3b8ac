import type { CoherenceValue, GlobalCoherence } from '../operations.ts'

/** A T value for people: never without its false-alarm rate. */
export function coherenceText(value: CoherenceValue): string {
  const { magnitudeSquared, collapsed, nEff, falseAlarm } = value
  return `|T|² ${magnitudeSquared.toFixed(3)}${collapsed ? ', collapsed' : ''} (N_eff ${nEff.toFixed(1)}, ${chance(falseAlarm)})`
}

export function globalText(value: GlobalCoherence): string {
  const { magnitudeSquared, collapsed, weightReporting, weightAgreeing, dissenters, falseAlarm } = value
  const dissent = dissenters.length === 0 ? '' : `, dissent: ${dissenters.join(', ')}`
  const weights = `${percent(weightReporting)} of the weight reports, ${percent(weightAgreeing)} agrees`
  return `|T|² ${magnitudeSquared.toFixed(3)}${collapsed ? ', collapsed' : ''} (${weights}${dissent}; ${chance(falseAlarm)})`
}

/** Chance that noise alone looks like this. */
export function chance(falseAlarm: number): string {
  return `false alarm ${falseAlarm === 0 ? '0' : falseAlarm.toPrecision(2)}`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
