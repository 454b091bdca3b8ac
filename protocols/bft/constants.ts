export const BFT_PROTOCOL = '/kairos/bft/1.0.0'

/** Of a block's header, CIDv1 dag-cbor sha2-256. */
export const VALUE_BYTES = 36
/** An engine's message, as the engine bounds it. */
export const MAX_MESSAGE_BYTES = 131_072
/** A whole block, header and lists. */
export const MAX_BLOCK_BYTES = 1_048_576
/** Of each part of a block but the last. */
export const PART_BYTES = 65_536
export const MAX_PARTS = MAX_BLOCK_BYTES / PART_BYTES
/** The largest of all with its envelope. */
export const MAX_FRAME_BYTES = 163_840
/** A report's envelope, as `/kairos/phase/1` bounds it. */
export const MAX_ENVELOPE_BYTES = 512
export const DIGEST_BYTES = 32
/** Reports asked for at once. */
export const MAX_DIGESTS = 64
/** With the signatures of a majority of a cell's members. */
export const MAX_ATTESTATION_BYTES = 32_768
export const MAX_GOVERNANCE_BYTES = 8_192

/** Waiting for one peer; the oldest of the lowest height goes for what is newer. */
export const MESSAGE_QUEUE = { bytes: 2_097_152, count: 1_024 } as const
/** Wants, reports, attestations, governance. */
export const OTHER_QUEUE = { bytes: 1_048_576, count: 512 } as const
/** Four blocks, with the envelopes of their parts. */
export const PART_QUEUE = { bytes: 4 * MAX_BLOCK_BYTES + 65_536, count: 4 * MAX_PARTS } as const
/** Written at once, so that a vote waits behind no more than this and what the stream holds. */
export const MAX_BATCH_BYTES = 131_072
/** A batch that a peer does not take for so long costs the stream. */
export const STALL_MS = 15_000
/** For what an older stream of the peer has in hand. */
export const REPLACE_TIMEOUT_MS = 5_000

/** Blocks of one peer that are put together at the same time; a further one takes the place of the oldest. */
export const MAX_ASSEMBLIES = 4
/** Values whose block came, so that its parts are not put together again. */
export const MAX_COMPLETED = 64
/** Blocks of which is known who was asked for them. */
export const MAX_SEARCHES = 8
/** Validators asked for a block at once. */
export const SEARCH_WIDTH = 2
/** Digests asked of one peer whose reports have not come; the oldest are forgotten. */
export const MAX_ASKED_DIGESTS = 1_024
/** Commands and attestations that were passed on or refused. */
export const MAX_SEEN = 4_096

/**
 * What one peer may send: ten times what an honest one does at twenty heights a second with a block of 100 KB from each
 * of four validators in turn. Two seconds' worth at once.
 */
export const RECEIVE_RATE = { bytesPerSecond: 20_971_520, framesPerSecond: 2_000 } as const
/** What one peer is answered, in bytes of blocks and reports. */
export const ANSWER_RATE = { bytesPerSecond: 8_388_608, framesPerSecond: 200 } as const
/** Peers whose rate is remembered. */
export const MAX_RATED_PEERS = 2_048

/** Of one connection: one, the one that it replaces, and room to tell refusals. */
export const MAX_BFT_STREAMS = 8
