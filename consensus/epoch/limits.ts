/** Of a whole epoch, encoded; a proposer that makes a longer one is refused. */
export const MAX_BLOCK_BYTES = 1_048_576
export const MAX_HEADER_BYTES = 2048
/** All of a state's lists at their limits take less. */
export const MAX_STATE_BYTES = 655_360
export const MAX_OPERATORS = 64
export const MAX_VALIDATORS = 64
/** Σ of the members of all operators. */
export const MAX_MEMBERS = 1024
/** Of one operator. */
export const MAX_CELL_MEMBERS = 64
export const MAX_CELL_VALIDATORS = 16
/** Σ weights stays below, so that weighted Q1.30 sums fit 64 bits (coherence.md P11). */
export const MAX_TOTAL_WEIGHT = 2 ** 33

/** The extended certificate of a block takes no more of it, however many validators and reporters there are. */
export const NAMING_BYTES = 440 * 1024
/** A reporter's number and a digest. */
export const NAMED_BYTES = 34
export const MAX_EXTENSION_BYTES = 65_536
export const MAX_CERTIFICATE_BYTES = NAMING_BYTES + 16_384
/** Whole envelope of a report (`/kairos/phase/1`). */
export const MAX_REPORT_BYTES = 512
export const MAX_REPORTS = 1024
/** Attestations, governance and evidence of one block together: what the reports leave. */
export const MAX_SUNDRY_BYTES = 49_152

export const MAX_ATTESTATION_BYTES = 32_768
export const MAX_REVOKED_AT_ONCE = 64
export const MAX_REVOKED = 4096
/** Keys that voted twice; the oldest go. */
export const MAX_OUT = 512

export const MAX_COMMAND_BYTES = 4096
export const MAX_COMMANDS = 64
export const MAX_MOTIONS = 32
/** Retained motions of one operator, so that it cannot keep the others from moving. */
export const MAX_MOTIONS_OF_CELL = 4
/** Members that a new operator is brought in with. */
export const MAX_FIRST_MEMBERS = 32
/** A move is taken in for this many epochs after the one that it was signed on; so long its motion is remembered. */
export const MOVE_WINDOW = 256
/** How far ahead a motion may expire or take effect. */
export const MAX_MOTION_HEIGHTS = 2_000_000

export const MAX_EVIDENCE_BYTES = 512
export const MAX_EVIDENCE = 16
/** Older evidence is void, so that what was seen need not be kept for good. */
export const EVIDENCE_HEIGHTS = 100_000

/** A Date's last instant, Unix ms. */
export const MAX_TIME = 8.64e15
export const MAX_ROUND = 2 ** 31 - 1
