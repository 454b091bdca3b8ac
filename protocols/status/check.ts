import type { PeerStatus, StatusRefusal } from './codec.ts'
import { MAX_VERSION_DISTANCE, PROTOCOL_VERSION } from './constants.ts'

/** What the peer's certificate says of it. */
export interface Certified {
  role: string
  cell: string
}

/** @returns why the two must part, told to the peer; undefined when they may stay together */
export function checkStatus(status: PeerStatus, certified: Certified): StatusRefusal | undefined {
  if (Math.abs(status.protocolVersion - PROTOCOL_VERSION) > MAX_VERSION_DISTANCE) {
    return {
      code: 'E_VERSION_UNSUPPORTED',
      message: `you speak version ${status.protocolVersion} of the protocols, this node ${PROTOCOL_VERSION}: update the older one`,
    }
  }
  if (status.role !== certified.role) {
    return { code: 'E_STATUS_ROLE', message: `you run as ${status.role}, your certificate says ${certified.role}` }
  }
  if (status.cell !== certified.cell) {
    return { code: 'E_STATUS_CELL', message: `you name the cell ${status.cell}, your certificate ${certified.cell}` }
  }
  return undefined
}
