export const STATUS_PROTOCOL = '/kairos/status/1.0.0'
/** What this release speaks, counted up with each breaking change of any protocol. */
export const PROTOCOL_VERSION = 1
/** A breaking change is spoken for one more release; peers further apart part. */
export const MAX_VERSION_DISTANCE = 1

export const MAX_STATUS_BYTES = 4096
export const MAX_HEADS = 16
/** The whole exchange: three frames of a few hundred bytes. */
export const STATUS_TIMEOUT_MS = 5_000
/** The end that dialled asks again this often; the other end only when it hears nothing for twice as long. */
export const STATUS_INTERVAL_MS = 30_000
/** Two: the old stream may still be closing when the new one opens. */
export const MAX_STATUS_STREAMS = 2
