export const PINS_PROTOCOL = '/kairos/pins/1.0.0'

/** What a guest of a cell may ask of its pinset. */
export const PIN_OPS = ['add', 'remove', 'update', 'list', 'get', 'status', 'statuses', 'recover'] as const

export const MAX_REQUEST_BYTES = 65_536
/** A page of 100 pins with all the metadata that a pin may have is under half of it. */
export const MAX_ANSWER_BYTES = 1_048_576
export const REQUEST_TIMEOUT_MS = 5_000
/** Committing takes a majority, and looking at a page of statuses asks all holders. */
export const ANSWER_TIMEOUT_MS = 60_000
export const MAX_REQUESTS_PER_PEER = 4
export const MAX_REQUESTS = 32
/** Above the limit per peer, so that a refusal can still be told. */
export const MAX_PINS_STREAMS = 8
