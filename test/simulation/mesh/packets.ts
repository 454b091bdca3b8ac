import type { ProposedBlock } from '../../../consensus/mesh/ports.ts'

export interface SyncedEpoch {
  readonly block: Uint8Array
  readonly certificate: Uint8Array
}

/** What nodes say to each other, as `/kairos/bft/1.0.0`, `/kairos/sync/1.0.0` and gossip carry it. */
export type Packet =
  | { readonly type: 'message'; readonly height: number; readonly bytes: Uint8Array }
  | { readonly type: 'block'; readonly height: number; readonly round: number; readonly block: ProposedBlock }
  | { readonly type: 'want-block'; readonly height: number; readonly value: Uint8Array }
  | { readonly type: 'report'; readonly bytes: Uint8Array }
  | { readonly type: 'want-reports'; readonly epoch: number; readonly digests: readonly Uint8Array[] }
  | { readonly type: 'governance'; readonly bytes: Uint8Array }
  | { readonly type: 'attestation'; readonly bytes: Uint8Array }
  | { readonly type: 'want-epochs'; readonly from: number; readonly ticket: number }
  | { readonly type: 'epochs'; readonly epochs: readonly SyncedEpoch[]; readonly ticket: number }
