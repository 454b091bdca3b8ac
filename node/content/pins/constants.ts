/** Bytes of one pin that are fetched at once, by the size of the blocks that it had last. */
export const PIN_AHEAD_BYTES = 33_554_432
/** Of the blocks that all pins together have under way. */
export const PIN_ROOM_BYTES = 100_663_296
/** A block that has not come for so long takes none of that room: there are always some that nobody sends. */
export const PIN_ROOM_STALL_MS = 1_000
/** In blocks: never less, however large they are, nor more, however small. Many share a sync of the disk. */
export const MIN_PIN_CONCURRENCY = 32
export const MAX_PIN_CONCURRENCY = 128
/** Links from the root to a block. The walk needs no memory for depth; an endless chain needs an end. */
export const MAX_DAG_DEPTH = 1024
/** Links that one pin follows, repeated ones too, so its blocks and its rows on disk are fewer than this. */
export const MAX_DAG_LINKS = 16_777_216
/** Links of one block. A block of 2 MiB has room for 52 000 links with a sha2-256 digest. */
export const MAX_BLOCK_LINKS = 65_536
/** Bytes of a digest: twice that of the longest hash in use. A digest is a part of the index's keys. */
export const MAX_DIGEST_BYTES = 128
/** Blocks over this are decoded one at a time: their links may take 50 times their bytes. */
export const WIDE_BLOCK_BYTES = 32_768
/** Wanted blocks that wait in memory; the others wait on disk. */
export const MAX_WAITING_BLOCKS = 4096
/** Rows that a step of unpin, verify or a walk reads at once. */
export const PAGE_ROWS = 1024
/** Writes after which a batch takes no further step. */
export const MAX_BATCH_WRITES = 8192
/** Steps of one batch, whose rows are read before the first of them. */
export const MAX_BATCH_STEPS = 512
/** Rows that are read at once; more would keep the readers of blocks waiting. */
export const READS_AT_ONCE = 16
/** Blocks that gc looks at before it rests as long as that took: half of the time is for readers alone. */
export const GC_PAGE_BLOCKS = 32
/** Blocks under leases, of all leases together (about 100 bytes each); a lease beyond it holds every block. */
export const MAX_LEASED_BLOCKS = 262_144
