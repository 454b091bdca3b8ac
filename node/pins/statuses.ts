import type { PinStatus } from '../operations.ts'

/** As IPFS Cluster names them. */
export const STATUSES = [
  'pinned',
  'pinning',
  'pin_queued',
  'pin_error',
  'unpinning',
  'unpin_queued',
  'unpin_error',
  'unpinned',
  'unexpectedly_unpinned',
  'remote',
  'cluster_error',
] as const satisfies readonly PinStatus[]
