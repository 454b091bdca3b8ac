import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import type { FinalEpoch, MeshState, Motion } from '../../consensus/epoch/types.ts'
import type { MeshService } from '../../node/mesh/types.ts'
import type { ChainSummary, MotionRow } from '../../node/operations.ts'
import { ALPHA_1, ALPHA_2 } from './fake-cell.ts'
import { CHAIN, EPOCH, EPOCH_ROW, MOTION, VALIDATORS } from './fake-record.ts'

export const KEY_1 = peerIdFromString(ALPHA_1).publicKey!.raw
export const KEY_2 = peerIdFromString(ALPHA_2).publicKey!.raw
export const peerIdOf = (key: Uint8Array): string => peerIdFromPublicKey(publicKeyFromRaw(key)).toString()

/** Of a header: v1, dag-cbor, sha2-256 */
export const cidBytes = (fill: number): Uint8Array =>
  Uint8Array.from([1, 0x71, 0x12, 32, ...new Uint8Array(32).fill(fill)])

export const MESH_STATE: MeshState = {
  mesh: cidBytes(1),
  height: 7,
  time: Date.parse('2026-01-01T00:00:00.000Z'),
  head: cidBytes(7),
  operators: [],
  validators: [],
  lastValidators: [],
  nextValidators: [],
  reporters: [],
  policy: VALIDATORS.policy,
  motions: [],
  revoked: [],
  out: [],
}

export function motionOf(fill: number, changes: Partial<Motion> = {}): Motion {
  return {
    id: new Uint8Array(32).fill(fill),
    change: { type: 'operator-remove', cell: 'delta' },
    by: KEY_1,
    opened: 7,
    expires: 1007,
    effectiveAt: 0,
    yes: [KEY_1],
    no: [],
    carried: undefined,
    ...changes,
  }
}

export const MOTION_ROW: MotionRow = {
  id: MOTION,
  change: { type: 'operator-set', name: 'Delta', cell: 'delta', weight: 3, members: [KEY_2] },
  text: 'operator Delta',
  by: ALPHA_1,
  opened: 7,
  expires: 1007,
  state: 'open',
  holdsFrom: null,
  yes: 0.5,
  no: 0,
}

export interface FakeMesh extends MeshService {
  chain: ChainSummary
  state: MeshState
  rows: MotionRow[]
  calls: unknown[][]
  /** Has an epoch become final. */
  finish(state: MeshState, evidence?: Uint8Array[], round?: number): void
}

/** A record that says what a test wants. */
export function fakeMesh(changes: Partial<MeshService> & { chain?: ChainSummary; state?: MeshState } = {}): FakeMesh {
  const calls: unknown[][] = []
  const listeners = new Set<Parameters<MeshService['onFinal']>[0]>()
  const mesh: FakeMesh = {
    name: 'mesh',
    chain: CHAIN,
    state: MESH_STATE,
    head: MESH_STATE.head,
    rows: [MOTION_ROW],
    calls,
    observe: {},
    start: async () => undefined,
    stop: async () => undefined,
    onFinal(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    finish(state, evidence = [], round = 0) {
      mesh.state = state
      const header = { time: state.time, t: [2 ** 29, 0], decision: { collapsed: false } }
      const final = { block: { header, reports: [KEY_1, KEY_2], evidence }, certificate: { round } }
      for (const listener of listeners) listener(final as unknown as FinalEpoch, state)
    },
    summary: () => mesh.chain,
    async *epochs({ limit }) {
      for (let i = 0; i < Math.min(limit, 3); i++) yield { ...EPOCH_ROW, height: CHAIN.height - i }
    },
    epoch: async () => EPOCH,
    exportEpoch: async () => new Uint8Array(),
    validators: async () => VALIDATORS,
    motions: async () => mesh.rows,
    async move(...given) {
      calls.push(['move', ...given])
      return MOTION_ROW
    },
    async vote(...given) {
      calls.push(['vote', ...given])
      return MOTION_ROW
    },
    ...changes,
  }
  return mesh
}
