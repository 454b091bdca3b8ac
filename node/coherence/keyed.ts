import { createHmac } from 'node:crypto'
import type { Complex } from './complex.ts'
import { unit } from './complex.ts'

/** y_k, the reference phasor in the rotating frame, for sample index k ≥ 0. */
export type Reference = (index: number) => Complex

const DOMAIN = 'kairos/keyed-reference/1'
const MIN_KEY_BYTES = 16

/**
 * The keyed reference y_k = e^{i·PRF(key, node, k)} (P9). To a signal that does not know the key the products are
 * uniform on the circle, so the false-alarm bound P5 holds against tones, replays and every other input.
 *
 * PRF: HMAC-SHA256 over `kairos/keyed-reference/1`, 0x00, the node name, 0x00 and k as a 64-bit big-endian integer;
 * the first 48 bits as a fraction of a turn.
 *
 * @param key - secret, at least 16 bytes
 * @param node - name of the node, so that two nodes under one key have unrelated references
 * @throws RangeError when the key is shorter than 16 bytes
 */
export function keyedReference(key: Uint8Array, node: string): Reference {
  if (key.length < MIN_KEY_BYTES)
    throw new RangeError(`a keyed reference needs a key of ${MIN_KEY_BYTES} bytes or more`)
  const prefix = Buffer.from(`${DOMAIN}\0${node}\0`)
  const message = Buffer.concat([prefix, Buffer.alloc(8)])
  return (index) => {
    message.writeBigUInt64BE(BigInt(index), prefix.length)
    const turn = createHmac('sha256', key).update(message).digest().readUIntBE(0, 6) / 2 ** 48
    return unit(2 * Math.PI * turn)
  }
}
