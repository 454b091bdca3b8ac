export const BLOCKS_PROTOCOL = '/kairos/blocks/1.0.0'

/** One block, as bitswap and the store have it (traps 21). */
export const MAX_BLOCK_BYTES = 2_097_152
/** A CIDv1 with a sha2-512 has 68. */
export const MAX_CID_BYTES = 80
/** Wants of one peer that are not answered yet; and what one frame may name. */
export const MAX_WANTS = 500
/** Of a frame without its blocks: MAX_WANTS asked for and as many taken back. */
export const MAX_HEADER_BYTES = 98_304
/** Header, its length, and blocks. */
export const MAX_FRAME_BYTES = MAX_HEADER_BYTES + 4 + MAX_BLOCK_BYTES
/** Small blocks share a frame up to this; a larger block goes alone. */
export const BATCH_BYTES = 262_144

/** Of blocks that are loaded and not yet taken by their streams: for one peer, and in all. */
export const MAX_LOADED_BYTES_PER_PEER = 8_388_608
export const MAX_LOADED_BYTES = 67_108_864
/** Of answers to one peer: far more than an honest one takes, so that wants without end cost the wanter, too. */
export const BYTES_PER_SECOND_PER_PEER = 536_870_912
/** What an answer counts at least: a look into the store, also for what is not there. */
export const MIN_ANSWER_COST_BYTES = 4_096
/** Streams on which a peer may want at once: one, the one that it replaces, and room for a second connection. */
export const MAX_WANT_STREAMS_PER_PEER = 4
export const MAX_WANT_STREAMS = 256

/** Pushed and not yet acknowledged, on one stream. */
export const PUSH_WINDOW_BYTES = 4_194_304
export const PUSH_WINDOW_BLOCKS = 1_024
export const MAX_PUSH_STREAMS_PER_PEER = 2
export const MAX_PUSH_STREAMS = 16
/** Blocks of one push: its lease names each of them, far below what all leases of a node may name. What is over is fetched. */
export const MAX_PUSHED_BLOCKS = 65_536
/** A push on which nothing comes for so long gives its place to another; an add that reads from a slow source may pause. */
export const PUSH_IDLE_MS = 120_000
/** After a push its blocks are kept this long for the pin that is to hold them. */
export const LEASE_MS = 600_000
/** Leases that one peer may have at once, those of pushes that have ended included. */
export const MAX_LEASES_PER_PEER = 16

/** Of one connection and direction: wants, pushes, and room to tell refusals. */
export const MAX_STREAMS = 16
/** Dialling, negotiating and the first frame. */
export const OPEN_TIMEOUT_MS = 10_000
/** A frame that the other side does not take, or a window that it does not open, for so long costs the stream. */
export const STALL_MS = 20_000
/** A stream on which nothing is wanted is closed by its opener, and after twice this by the other side. */
export const IDLE_MS = 15_000
/** A peer that could not be reached is not tried again for so long. */
export const RETRY_MS = 2_000
/** For the other side to read why it was refused. */
export const REFUSAL_LINGER_MS = 500
/** Received blocks that are being stored: then the client reads no more until one is. */
export const MAX_UNSTORED_BYTES = 16_777_216
