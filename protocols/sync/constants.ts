export const SYNC_PROTOCOL = '/kairos/sync/1.0.0'

/** CID bytes of a header. */
export const MAX_VALUE_BYTES = 48
/** A whole epoch, and its certificate with what its validators saw, encoded (`consensus/epoch/limits.ts`). */
export const MAX_BLOCK_BYTES = 1_048_576
export const MAX_CERTIFICATE_BYTES = 491_520
export const MAX_STATE_BYTES = 655_360
/** One epoch with its envelope. */
export const MAX_ANSWER_BYTES = MAX_BLOCK_BYTES + MAX_CERTIFICATE_BYTES + 1_024
export const MAX_REQUEST_BYTES = 256
/** Epochs of one range. */
export const MAX_RANGE = 64

/** The request is one small frame: a peer that takes longer to send it is stalling. */
export const OPEN_TIMEOUT_MS = 5_000
/** A peer that takes nothing for so long has ended the answer. */
export const STALL_MS = 30_000
/** A follower that nothing new is sent to hears so often that the other side lives. */
export const HEARTBEAT_MS = 5_000
/** More often than this a peer that is followed has no reason to say so; and how often it may all the same. */
export const MIN_HEARTBEAT_MS = 1_000
export const MAX_EARLY_HEADS = 64
/** Follow streams that heard nothing for so long are given up. */
export const FOLLOW_SILENCE_MS = 15_000
/** A whole `head` or `state`. */
export const REQUEST_TIMEOUT_MS = 10_000
/** Between two epochs of a range. */
export const RANGE_SILENCE_MS = 10_000

/** Answers under way to one peer, and to all; more are refused with E_SYNC_BUSY. */
export const MAX_ANSWERS_PER_PEER = 8
export const MAX_ANSWERS = 64
/** Followers in all, one stream each. */
export const MAX_FOLLOWERS = 256
/** For what a follower's older stream has in hand. */
export const REPLACE_TIMEOUT_MS = 5_000
/** To one peer; what is over waits. */
export const BYTES_PER_SECOND_PER_PEER = 33_554_432
/** The least that an answer counts as: reads cost too. */
export const MIN_ANSWER_COST_BYTES = 4_096
/** Of one connection: answers, two followers, and room to tell refusals. */
export const MAX_SYNC_STREAMS = 16
