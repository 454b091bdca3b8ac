// Numbers of eraftpb's MessageType: votes, heartbeats, leadership, reads, and their answers.
const URGENT = new Set([5, 6, 8, 9, 13, 14, 15, 16, 17, 18])
const TYPE_FIELD = 0x08

/** Whether a message of the engine may overtake appends: without heartbeats and votes in time there is no leader. */
export function isUrgent(message: Uint8Array): boolean {
  return message[0] === TYPE_FIELD && URGENT.has(message[1] ?? 0)
}
