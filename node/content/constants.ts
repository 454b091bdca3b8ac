/** Larger blocks are refused everywhere: more than this in one message hangs bitswap (traps 21 of Helia 4.0). */
export const MAX_BLOCK_BYTES = 2 * 1024 * 1024
/** A whole block and its envelope. At exactly MAX_BLOCK_BYTES `splitMessage` yields empty messages for ever. */
export const MAX_MESSAGE_BYTES = MAX_BLOCK_BYTES + 65_536
/** Blocks asked of single peers at once, all operations together. A peer holds all that we ask in memory. */
export const MAX_ASKS = 32
/** Blocks asked of all connected peers at once, all operations together. */
export const MAX_BROADCASTS = 32
/** Wants kept for one peer, so ≤ 128 MiB of blocks in memory for it; equals what an honest node has in flight. */
export const MAX_WANTS_PER_PEER = MAX_ASKS + MAX_BROADCASTS
/** Blocks of one operation that are fetched ahead of its reader. */
export const READ_AHEAD_BLOCKS = 16
/** Blocks of one operation that are asked for or held, when a directory's parts come before its further entries. */
export const MAX_STARTED_BLOCKS = 3 * READ_AHEAD_BLOCKS
/** A peer that answered nothing for this long is asked again; the time doubles when all peers are asked. */
export const REASK_MS = 2_000
/** A peer that answered nothing for this long is given up for the operation. */
export const PEER_SILENCE_MS = 20_000
export const BITSWAP_PROTOCOL = '/ipfs/bitswap/1.2.0'
/** Cancels are collected this long, and Helia has then forgotten the want, too (its own debounce is 10 ms). */
export const CANCEL_DELAY_MS = 25
export const CANCEL_TIMEOUT_MS = 5_000
/** How often a pending ask looks at its peer. */
export const ASK_CHECK_MS = 500
/** A block that nobody sent in this time is reported as not found. */
export const BLOCK_TIMEOUT_MS = 30_000
