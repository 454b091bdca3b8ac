import { DEADLINE_BASE_MS, DEADLINE_BLOCK_MS, DEADLINE_BYTES_PER_MS } from './constants.ts'

/** How long a replica has from the challenge to its answer, milliseconds (spec.md, "Deadline"). */
export function deadlineMs({ blocks, bytes }: { blocks: number; bytes: number }): number {
  return Math.ceil(DEADLINE_BASE_MS + blocks * DEADLINE_BLOCK_MS + bytes / DEADLINE_BYTES_PER_MS)
}
