export const RAFT_PROTOCOL = '/kairos/raft/1.0.0'

/** Members of one cell that a message can name. */
export const MAX_MEMBERS = 64
/** One message of the engine (hardening §2.2: append). */
export const MAX_MESSAGE_BYTES = 1_048_576
/** A message with its envelope and an offered snapshot's configuration. */
export const MAX_FRAME_BYTES = MAX_MESSAGE_BYTES + 8_192
/** The first frame of a stream: 64 CIDs at most. */
export const MAX_OPENING_BYTES = 8_192
export const MAX_CID_BYTES = 64
/** Of a node that asks to join; with its log it is made anew. */
export const INCARNATION_BYTES = 16

/** One block of a snapshot: as many as a block of the state may have, or one large run of keys would end all snapshots. */
export const MAX_BLOCK_BYTES = 2_097_152
/** A block, or the list of members, with its envelope. */
export const MAX_ANSWER_BYTES = MAX_BLOCK_BYTES + 1_024
/** Blocks asked for at once. */
export const MAX_CIDS = 64
/** Of one answer: what comes after is asked for again. The first block always fits. */
export const MAX_BLOCKS_BYTES = 4_194_304
/** Requests for blocks under way during one fetch. */
export const FETCH_CONCURRENCY = 4
/** Of one snapshot, shared ones counted each time: an endless tree ends here. */
export const MAX_SNAPSHOT_BLOCKS = 1_048_576

/** Waiting for one member, besides the batch that is being written. */
export const BULK_QUEUE = { bytes: 4_194_304, count: 4_096 } as const
export const URGENT_QUEUE = { bytes: 262_144, count: 1_024 } as const
/** Written at once; a larger message goes alone. */
export const MAX_BATCH_BYTES = 262_144

/** For the first frame. */
export const OPEN_TIMEOUT_MS = 5_000
/** A batch that a member does not take for so long costs the stream. */
export const STALL_MS = 15_000
/** A whole request. A join waits for its commit. */
export const REQUEST_TIMEOUT_MS = 30_000

/** Requests answered to one peer at once; more are refused with E_RAFT_BUSY. */
export const MAX_REQUESTS_PER_PEER = 8
/** To all peers together. */
export const MAX_REQUESTS = 32
/** Of one connection: requests, two lanes, the streams that these replace, and room to tell refusals. */
export const MAX_RAFT_STREAMS = 24
/** Longest that what need not be heard at once waits for a message that must be. */
export const LAZY_MS = 5
