export const AUDIT_PROTOCOL = '/kairos/audit/1.0.0'

export const SALT_BYTES = 32
/** Of a SHA-256. */
export const DIGEST_BYTES = 32
/** Blocks of one challenge. */
export const MAX_BLOCKS = 64
/** A sha2-512 has 66. */
export const MAX_MULTIHASH_BYTES = 80
/** Of 64 multihashes, a salt and a CID as text. */
export const MAX_REQUEST_BYTES = 8_192
/** A page of verdicts; a proof has 50 bytes. */
export const MAX_ANSWER_BYTES = 65_536
/** Verdicts of one page. */
export const MAX_ROWS = 256

/** A challenger takes fewer blocks rather than more bytes: a replica reads them beside its other work. */
export const MAX_CHALLENGE_BYTES = 16_777_216
/** Dialling and negotiating: before a replica knows which blocks it is asked for. */
export const OPEN_TIMEOUT_MS = 10_000
/** The deadline of an answer (spec.md, "Deadline"): a far round trip and a busy machine, */
export const DEADLINE_BASE_MS = 750
/** one seek of a slow disk for each block, */
export const DEADLINE_BLOCK_MS = 12
/** and how fast that disk reads, bytes per millisecond: 20 MiB/s. */
export const DEADLINE_BYTES_PER_MS = 20_971

/** The request is one small frame: a peer that takes longer to send it is stalling. */
export const REQUEST_TIMEOUT_MS = 5_000
/** One answer, all reading included; far over every deadline. */
export const ANSWER_TIMEOUT_MS = 30_000

/** Answers under way to one peer, and to all; more are refused with E_AUDIT_BUSY. */
export const MAX_ANSWERS_PER_PEER = 2
export const MAX_ANSWERS = 8
/** Above the limit per peer, so that a refusal can still be told. */
export const MAX_STREAMS = 8

/** What may be read for one peer in a minute, and for all; more is refused with E_AUDIT_BUDGET. */
export const READ_BYTES_PER_MINUTE_PER_PEER = 268_435_456
export const READ_BYTES_PER_MINUTE = 1_073_741_824
/** A block costs at least this, so that small ones have a price, too; and so does a request. */
export const MIN_COST_BYTES = 4_096
