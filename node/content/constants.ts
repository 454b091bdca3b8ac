/** Larger blocks are refused everywhere: more than this in one message hangs bitswap (traps 21 of Helia 4.0). */
export const MAX_BLOCK_BYTES = 2 * 1024 * 1024
/** A whole block and its envelope. At exactly MAX_BLOCK_BYTES `splitMessage` yields empty messages for ever. */
export const MAX_MESSAGE_BYTES = MAX_BLOCK_BYTES + 65_536
/** Blocks asked of all connected peers at once over bitswap, all operations together. */
export const MAX_BROADCASTS = 32
/** Wants kept for one peer of bitswap, so ≤ 128 MiB of blocks in memory for it: twice what an honest node has in flight. */
export const MAX_WANTS_PER_PEER = 2 * MAX_BROADCASTS
/** Bytes that one operation fetches ahead of its reader, by the size of the blocks that it had last. */
export const READ_AHEAD_BYTES = 16 * 1_048_576
/** In blocks; never less than so many, however large they are, nor more, however small. */
export const MIN_READ_AHEAD_BLOCKS = 16
export const MAX_READ_AHEAD_BLOCKS = 256
/** Blocks of one operation that are asked for or held are this many times what is fetched ahead, when parts of a directory come before its further entries. */
export const MAX_STARTED_FACTOR = 3
/** When nobody answers over bitswap in this time, all are asked again; the time doubles. */
export const REASK_MS = 2_000
/** A peer that was asked and sent nothing for so long: another holder is asked, too, and if there is none, everybody. */
export const SILENT_HEDGE_MS = 2_000
/** A block that is so late goes to another holder, too, if that has nothing to do. */
export const IDLE_HEDGE_MS = 5_000
/** A peer that was asked and sent nothing for so long is given up for the block. */
export const PEER_SILENCE_MS = 20_000
export const BITSWAP_PROTOCOL = '/ipfs/bitswap/1.2.0'
/** Cancels are collected this long, and Helia has then forgotten the want, too (its own debounce is 10 ms). */
export const CANCEL_DELAY_MS = 25
export const CANCEL_TIMEOUT_MS = 5_000
/** How often a pending ask looks at its peer. */
export const ASK_CHECK_MS = 500
/** A block that nobody sent in this time is reported as not found. */
export const BLOCK_TIMEOUT_MS = 30_000
