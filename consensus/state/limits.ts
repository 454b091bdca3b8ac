/** Printable ASCII only, so that string order, byte order and a database's order are one order. */
export const MAX_KEY_CHARS = 640
export const MAX_VALUE_BYTES = 4096
/** A node's run of keys is geometric with p = 1/16: over 400 keys of the greatest size are as good as impossible. */
export const MAX_BLOCK_BYTES = 2_097_152
/**
 * All entries of one state; commands that would add beyond it are refused. In memory an entry takes its bytes and some
 * 50 more, so a full state of 260 B each takes 410 MB; only that commands write small records keeps it from 5 GB.
 */
export const MAX_ENTRIES = 1_310_720

export const MAX_COMMAND_BYTES = 65_536
/** Members of one cell at a time: each is a voter or on the way to be one. */
export const MAX_MEMBERS = 64
/** Labels of one member. */
export const MAX_LABELS = 64
/** As in the admission exchange. */
export const MAX_CERTIFICATE_BYTES = 1024
export const MAX_TICKET_USES = 256
/** A redeemer that crashed before it had stored its certificate may ask again this long after the ticket's end. */
export const REDEMPTION_GRACE_MS = 7 * 86_400_000
/** Redemptions forgotten with one command, so that no command is long. */
export const MAX_FORGOTTEN_AT_ONCE = 64

/** Pins in one command, so that no command is long. */
export const MAX_PINS_AT_ONCE = 32
export const MAX_EXPIRED_AT_ONCE = 64
/** A hash of 128 bytes in base32 fits. */
export const MAX_PIN_CID_CHARS = 240
/** The parts of a pin together stay under MAX_VALUE_BYTES. */
export const MAX_METADATA_KEYS = 16
export const MAX_METADATA_BYTES = 1024
export const MAX_ORIGINS = 8
export const MAX_ORIGINS_CHARS = 1536

/** Sessions that are remembered, and results of each: with the longest results some 70 MB. */
export const MAX_SESSIONS = 128
export const SESSION_WINDOW = 512
/** Recency of a session is noted once in so many entries: exact order would double the writes of every command. */
export const RECENCY_STEP = 1024

/** The state after each such index is kept for a checkpoint to compare with. */
export const CHECKPOINT_INTERVAL = 4096
export const KEPT_MARKS = 4
