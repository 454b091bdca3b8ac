import { z } from 'zod'

const positive = (description: string) => z.number().positive().exactOptional().describe(description)
const number = (description: string) => z.number().exactOptional().describe(description)
const text = (description: string) => z.string().min(1).exactOptional().describe(description)

const synthetic = z
  .strictObject({
    shape: z
      .enum(['tone', 'chirp', 'noise'])
      .default('tone')
      .describe('Constant frequency, frequency rising linearly, or uniform random phases.'),
    frequency_hz: positive('Frequency at time 0; by default that of the reference oscillator.'),
    chirp_hz_per_s: number('chirp: how fast the frequency rises, Hz per second.'),
    phase: number('Phase at time 0, rad.'),
    duration_s: positive('The signal ends after so many seconds; by default never.'),
  })
  .prefault({})
  .describe('The signal of source synthetic.')

/**
 * What the transducers listen to: the ingest's `SignalConfig`, but for ω (kairos.omega). Which keys
 * a source needs is checked as a whole in `check.ts`, since flags and variables may bring some.
 */
export const signal = z
  .strictObject({
    source: z
      .enum(['recording', 'stdin', 'synthetic', 'none'])
      .default('none')
      .describe('A file, a live stream on stdin, a generated signal, or nothing.'),
    path: text('recording: the file, CSV with a header or NDJSON.'),
    format: z.enum(['csv', 'ndjson']).exactOptional().describe('By default told by the first character.'),
    column: text(
      'Column of real samples, which become phases by Goertzel blocks of `block` samples; by default value.',
    ),
    phase_column: text('Column of phases in rad, when there is no `block`; by default phase.'),
    reference_column: text('Column with the phase of a second signal, which takes the place of the oscillator.'),
    time_column: text('Column of times in seconds; else rate_hz gives them.'),
    rate_hz: positive('Samples per second of signal time.'),
    period_s: positive(
      'One cycle of the rhythm, seconds of signal time; takes the place of kairos.omega = 2π / period_s.',
    ),
    block: z.number().int().min(2).exactOptional().describe('Real samples in a block, at least one whole cycle.'),
    noise_gate: z.number().min(0).default(0).describe('A block of this amplitude or less is noise: an invalid sample.'),
    speed: z
      .union([z.number().positive(), z.literal('max')])
      .default(1)
      .describe('recording, synthetic: seconds of signal time per second.'),
    loop: z.boolean().default(false).describe('recording: start over at the end, saying so.'),
    noise: z
      .number()
      .min(0)
      .default(0)
      .describe('Standard deviation of Gaussian noise added to each reading, in its unit.'),
    gap_rate: z.number().min(0).max(1).default(0).describe('Share of readings lost at random.'),
    seed: z.number().int().min(0).max(0xffff_ffff).default(1).describe('Seed of noise and gaps.'),
    on_bad_sample: z
      .enum(['stop', 'invalid'])
      .default('stop')
      .describe(
        'A reading that cannot be read ends the signal, or is an invalid sample. The node runs on in both cases.',
      ),
    reference: z
      .enum(['own', 'keyed'])
      .default('own')
      .describe('own: the node’s oscillator. keyed: e^{i·PRF(key, node, k)}, which a replay cannot match.'),
    key: z
      .string()
      .regex(/^[0-9a-f]{64}$/, { error: '32 bytes as 64 hex digits' })
      .exactOptional()
      .describe('keyed: the key, 32 bytes as 64 hex digits.'),
    synthetic,
  })
  .prefault({})
  .describe('What the transducers listen to.')
