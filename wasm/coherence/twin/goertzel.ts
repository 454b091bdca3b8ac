import { fits, type Floats } from '../arrays.ts'
import { require } from '../errors.ts'

export interface GoertzelBankParams {
  /** ω·h of each frequency, rad a sample; 1 to 2^16 of them */
  readonly angles: readonly number[] | Float64Array
  /** samples of the longest block, 1 or more */
  readonly maxValues: number
}

const GROUP = 16
const STRETCH = 1024
const MAX_FREQUENCIES = 2 ** 16

/** @throws KernelError E_KERNEL_RANGE */
export function checkGoertzelBank({ angles, maxValues }: GoertzelBankParams): void {
  require(angles.length >= 1 && angles.length <= MAX_FREQUENCIES, 'E_KERNEL_RANGE')
  require(angles.every(Number.isFinite) && Number.isInteger(maxValues) && maxValues >= 1, 'E_KERNEL_RANGE')
}

/** Powers e^{-iωj}, j = 0 to 16, of one frequency. */
interface Powers {
  readonly re: Float64Array
  readonly im: Float64Array
}

export function goertzelPowers(angle: number): Powers {
  const row = Array.from({ length: GROUP + 1 }, (_, j) => angle * j)
  return { re: Float64Array.from(row, Math.cos), im: Float64Array.from(row, (turned) => -Math.sin(turned)) }
}

/** Twin of the bank's `transform`: Horner's scheme over groups of 16, made exact anew every 1024 samples (P10). */
export function goertzelTransform(
  { angles }: GoertzelBankParams,
  values: Floats,
  length: number,
  { re, im }: { re: Float64Array; im: Float64Array },
): void {
  require(fits(length, values), 'E_KERNEL_LENGTH')
  const centred = centre(values, length)
  for (let f = 0; f < angles.length; f++) {
    const angle = angles[f]!
    const powers = goertzelPowers(angle)
    re[f] = 0
    im[f] = 0
    for (let from = 0; from < centred.length; from += STRETCH) {
      const [partRe, partIm] = sumStretch(centred, from, powers)
      const [cos, sin] = [Math.cos(angle * from), -Math.sin(angle * from)]
      re[f]! += ((partRe * cos - partIm * sin) * 2) / length
      im[f]! += ((partRe * sin + partIm * cos) * 2) / length
    }
  }
}

/** Values less their mean, padded with zeros to whole groups. */
function centre(values: Floats, length: number): Float64Array {
  const centred = new Float64Array(Math.ceil(length / GROUP) * GROUP)
  let sum = 0
  for (let j = 0; j < length; j++) sum += values[j]!
  for (let j = 0; j < length; j++) centred[j] = values[j]! - sum / length
  return centred
}

function sumStretch(values: Float64Array, from: number, powers: Powers): [re: number, im: number] {
  const [turnRe, turnIm] = [powers.re[GROUP]!, powers.im[GROUP]!]
  let [re, im] = [0, 0]
  for (let group = Math.min(from + STRETCH, values.length) - GROUP; group >= from; group -= GROUP) {
    const turned = re * turnRe - im * turnIm
    im = re * turnIm + im * turnRe
    re = turned
    for (let j = 0; j < GROUP; j++) {
      re += values[group + j]! * powers.re[j]!
      im += values[group + j]! * powers.im[j]!
    }
  }
  return [re, im]
}
