/** Everything that a peer can make grow on this node, with its bound. Figures: measured floods, see the tests of each. */

/** Connections accepted per second from one address: a stranger's, or loopback and the operator's ranges. */
export const STRANGER_CONNECTIONS_PER_S = 5
export const TRUSTED_CONNECTIONS_PER_S = 100
/** Handshakes under way at once from one address; one more cuts the oldest, so idle sockets close nobody's door. */
export const STRANGER_PENDING = 4
export const TRUSTED_PENDING = 100
/** Handshakes under way at once from everywhere. */
export const MAX_PENDING = 256
/** libp2p compares its own pending counter with `===`; above ours, it never decides. */
export const LIBP2P_MAX_PENDING = 4 * MAX_PENDING
/** Never reached: libp2p has one figure for all addresses, our gater has one per range. */
export const LIBP2P_CONNECTION_THRESHOLD = 1_000_000
export const MAX_CONNECTIONS_PER_PEER = 8
/** Addresses whose rate is remembered; the longest unused is forgotten first. */
export const MAX_TRACKED_ADDRESSES = 10_000
/** Hosts with this many banned ids are refused before any handshake (never the operator's own ranges). */
export const BANNED_IDS_PER_HOST = 3

/**
 * A whole handshake, admission included. Idle sockets are cut by the limits above, so this may suit slow links and
 * busy machines: a mesh that starts as one on two cores would lose connections to a shorter one, and dial again.
 */
export const UPGRADE_TIMEOUT_MS = 10_000
export const INBOUND_NEGOTIATION_TIMEOUT_MS = 3_000
export const OUTBOUND_NEGOTIATION_TIMEOUT_MS = 5_000
export const DIAL_TIMEOUT_MS = 15_000
export const ADDRESS_DIAL_TIMEOUT_MS = 10_000

/** A peer that answers no ping for so long is gone. */
export const PING_INTERVAL_MS = 10_000
export const PING_TIMEOUT_MS = 10_000

export const WATCHDOG_INTERVAL_MS = 200
export const BAN_MS = 30 * 60_000
export const MAX_BAN_MS = 24 * 60 * 60_000
/** A peer's lost points come back by half in this time. */
export const SCORE_HALF_LIFE_MS = 10 * 60_000
export const MAX_LEDGER_ENTRIES = 10_000

export const MAX_PEER_STORE_PEERS = 5_000
export const MAX_ADDRESSES_PER_PEER = 16
export const MAX_ADDRESS_BYTES = 256
export const PEER_STORE_SWEEP_MS = 10 * 60_000

export const MAX_PROVIDER_RECORDS_PER_PEER = 1_000
export const MAX_PROVIDER_RECORDS = 100_000

export const MAX_RESERVATIONS_PER_HOST = 4
export const MAX_CIRCUITS_PER_SOURCE = 16
