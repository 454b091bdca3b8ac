// Numbers of eraftpb's MessageType: votes, heartbeats, leadership, reads, and their answers.
const URGENT = new Set([5, 6, 8, 9, 13, 14, 15, 16, 17, 18])
const TYPE_FIELD = 0x08

/** Whether a message of the engine may overtake appends: without heartbeats and votes in time there is no leader. */
export function isUrgent(message: Uint8Array): boolean {
  return message[0] === TYPE_FIELD && URGENT.has(message[1] ?? 0)
}

const APPEND = 3
const [PROPOSE, READ_INDEX] = [2, 15]
/** Fields of eraftpb's Message, as their tags: those before are numbers. */
const [ENTRIES_TAG, COMMIT_TAG] = [0x3a, 0x40]

/** Whether a message only tells what is committed: an append without entries. The next append tells it, too. */
export function isCommitNotice(message: Uint8Array): boolean {
  if (message[0] !== TYPE_FIELD || message[1] !== APPEND) return false
  for (let at = 0; at < message.length;) {
    const tag = message[at++]!
    if (tag >= ENTRIES_TAG) return tag === COMMIT_TAG
    while ((message[at] ?? 0) >= 0x80) at++
    at++
  }
  return false
}

/** Whether a member hands on what its own clients want: it waits to hear that it was committed. */
export function isForwarded(message: Uint8Array): boolean {
  return message[0] === TYPE_FIELD && (message[1] === PROPOSE || message[1] === READ_INDEX)
}
