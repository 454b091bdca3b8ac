/** Each copy is challenged about once in so long. */
export const PERIOD_MS = 43_200_000
/** Holders that one holder challenges at each visit of a pin: cells of any size challenge each copy about as often. */
export const CHALLENGED_AT_ONCE = 2
/** With more pins than fit, a period is longer. */
export const VISITS_PER_MINUTE = 60
/** Read here for challenges, and as much at those challenged. */
export const READ_BYTES_PER_MINUTE = 134_217_728
/** Challenges without a valid answer, in a row, before a copy counts as bad. */
export const MISSES = 3
/** A copy that was not proven is challenged again so many times in a period. */
export const RETRIES_PER_PERIOD = 6
/** Copies that wait for that; others wait for their next visit. */
export const MAX_RETRIES = 4_096

/** Copies of which this node's own verdict is kept, and of which anybody's is; the oldest go first. */
export const MAX_OWN_VERDICTS = 65_536
export const MAX_FINDINGS = 131_072

/** Challenges that the adder of a single copy computes, and blocks of each; they are read while it waits. */
export const PRECOMPUTED = 32
export const PRECOMPUTED_BLOCKS = 16
export const PRECOMPUTED_BYTES = 4_194_304
/** Pins of which there are some: 20 KiB each. */
export const MAX_PRECOMPUTED_PINS = 4_096
/** Blocks of a pin from which these are taken. */
export const MAX_WALKED_BLOCKS = 262_144

/** Others are asked for their verdicts so often. */
export const POLL_MS = 10_000
export const POLL_TIMEOUT_MS = 5_000
/** Pages that one of them is asked for at once. */
export const POLL_PAGES = 16
/** Who has not answered so many of these cannot be asked. */
export const POLLS_MISSED = 6
