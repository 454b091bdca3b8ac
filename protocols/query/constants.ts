export const QUERY_PROTOCOL = '/kairos/query/1.0.0'

/** What a node answers to; a topic it does not know is refused by name, so that older nodes can say so. */
export const QUERY_TOPICS = ['status', 'peers', 'coherence', 'pins', 'epochs'] as const

export const MAX_REQUEST_BYTES = 4_096
/** A row with its envelope. */
export const MAX_ROW_BYTES = 65_536
/** Rows of one answer. */
export const MAX_ROWS = 10_000
/** The request is one small frame: a peer that takes longer to send it is stalling. */
export const REQUEST_TIMEOUT_MS = 5_000
/** The whole answer, a slow reader included. */
export const QUERY_TIMEOUT_MS = 30_000
/** Answers under way to one peer; more are refused with E_QUERY_BUSY. */
export const MAX_QUERIES_PER_PEER = 8
/** Above the limit per peer, so that a refusal can still be told. */
export const MAX_QUERY_STREAMS = 16
/** Answers under way to all peers together. */
export const MAX_QUERIES = 64
/** Peers asked at the same time by one `queryAll`. */
export const QUERY_CONCURRENCY = 16
