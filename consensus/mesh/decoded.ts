import type { BftMessage } from './engine.ts'
import type { MeshInit } from './init.ts'

/** @returns undefined for bytes of a peer that are no message */
export function decoded({ decode }: Pick<MeshInit, 'decode'>, bytes: Uint8Array): BftMessage | undefined {
  try {
    return decode(bytes)
  } catch {
    return undefined
  }
}
