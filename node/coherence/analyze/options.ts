import { CodedError } from '../../../protocols/shared/errors.ts'
import type { SignalConfig } from '../ingest/config.ts'
import { signalStep } from '../ingest/config.ts'
import type { Form } from '../product.ts'
import type { TransducerConfig, Window } from '../transducer-params.ts'

/** What to analyse and how; the flags of `coherence analyze`. */
export interface AnalyzeOptions {
  /** CSV with a header or NDJSON; `-` reads the live stream */
  readonly file: string
  /** raw real samples, with `block` */
  readonly column?: string | undefined
  /** samples per Goertzel block */
  readonly block?: number | undefined
  /** phases, rad */
  readonly phaseColumn?: string | undefined
  /** phases of a second signal, rad: p_k = conj(u_k)·e^{iQ_k}, without the rotation by ω */
  readonly referenceColumn?: string | undefined
  /** sample k is at k/rate, and every sample counts */
  readonly rateHz?: number | undefined
  /** seconds; the first sample only starts the clock */
  readonly timeColumn?: string | undefined
  /** rad/s */
  readonly omega?: number | undefined
  /** 2π/ω, seconds */
  readonly periodS?: number | undefined
  /** default `ref` */
  readonly form?: Form | undefined
  /** L; default 1 */
  readonly lag?: number | undefined
  /** one of the three: leaky by tau or tau_max (seconds), boxcar by samples */
  readonly tauS?: number | undefined
  readonly tauMaxS?: number | undefined
  readonly window?: number | undefined
  /** I_c; default .95 */
  readonly threshold?: number | undefined
  /** occupied part of the Nyquist band, (0, 1]; default 1 */
  readonly bandwidth?: number | undefined
  /** a point of the series every N samples of T; default about two hundred points */
  readonly every?: number | undefined
  /** default `stop` */
  readonly onBadSample?: 'stop' | 'invalid' | undefined
}

/** @throws CodedError E_USAGE when options contradict each other or one is missing, naming it */
export function signalOf(options: AnalyzeOptions): SignalConfig {
  const { file, column, block, phaseColumn, referenceColumn, rateHz, timeColumn, omega, periodS } = options
  need(isOne(column, phaseColumn), 'say what to read: --column with --block, or --phase-column')
  need((column === undefined) === (block === undefined), '--column and --block go together')
  need(isOne(rateHz, timeColumn), 'say when the samples are: --rate or --time-column')
  need(omega === undefined || periodS === undefined, 'give --omega or --period, not both')
  const form = options.form ?? 'ref'
  const rotates = form !== 'auto' && referenceColumn === undefined
  need(!rotates || omega !== undefined || periodS !== undefined, 'say the rhythm to look for: --omega or --period')
  need(referenceColumn === undefined || form === 'ref', '--reference-column goes with --form ref')
  return {
    source: file === '-' ? 'stdin' : 'recording',
    path: file,
    column,
    phase_column: phaseColumn,
    reference_column: referenceColumn,
    block,
    rate_hz: rateHz,
    time_column: timeColumn,
    omega,
    period_s: periodS,
    speed: 'max',
    on_bad_sample: options.onBadSample,
  }
}

/** @throws CodedError E_USAGE when the window is missing, or --every or --lag has no sense */
export function transducerOf(options: AnalyzeOptions, signal: SignalConfig, omega: number): TransducerConfig {
  const { form = 'ref', lag, threshold, bandwidth, every } = options
  need(lag === undefined || form !== 'ref', '--lag goes with --form auto or cyclic')
  need(every === undefined || (Number.isInteger(every) && every > 0), '--every takes a whole number above 0')
  return {
    name: 'analysis',
    form,
    omega,
    window: windowOf(options),
    step: signalStep(signal),
    shortWindow: 'hold',
    ...(lag === undefined ? {} : { lag }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(bandwidth === undefined ? {} : { relativeBandwidth: bandwidth }),
  }
}

function windowOf({ tauS, tauMaxS, window }: AnalyzeOptions): Window {
  need(isOne(tauS, tauMaxS, window), 'say how long to remember: one of --tau, --tau-max, --window')
  if (tauS !== undefined) return { tau: tauS }
  return tauMaxS !== undefined ? { tauMax: tauMaxS } : { samples: window ?? 1 }
}

function isOne(...values: unknown[]): boolean {
  return values.filter((value) => value !== undefined).length === 1
}

function need(condition: boolean, hint: string): void {
  if (!condition) throw new CodedError('E_USAGE', `these options do not go together: ${hint}`, { hint })
}
