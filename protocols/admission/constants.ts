import { fromString } from 'uint8arrays/from-string'

/** Encrypter ids: Noise or TLS, then the admission exchange. A breaking change is a new id. */
export const NOISE_ADMISSION_PROTOCOL = '/kairos/noise/1.0.0'
export const TLS_ADMISSION_PROTOCOL = '/kairos/tls/1.0.0'

/**
 * Noise prologue of both ends. Multistream runs before encryption, so in an open mesh somebody in
 * the middle could talk two members down to plain `/noise`; with the id in the transcript that fails.
 */
export const NOISE_ADMISSION_PROLOGUE = fromString(NOISE_ADMISSION_PROTOCOL)

/** What this release speaks after the encryption, and the oldest it still understands. */
export const ADMISSION_VERSION = 1
export const MIN_ADMISSION_VERSION = 1

/**
 * For the handshake and the exchange together, a few round trips. Under the upgrader's own 3 s
 * (hardening F1), so that a stalled peer is cut with a code.
 */
export const ADMISSION_TIMEOUT_MS = 2500
/** How long a refuser keeps reading, so that a reset does not eat the code. */
export const REFUSAL_LINGER_MS = 500

export const MAX_HELLO_BYTES = 8192
/** The answer to a ticket also carries the genesis. */
export const MAX_WELCOME_BYTES = 49_152
/** Bytes held while a check runs: early muxer data of the dialer; beyond it the connection is cut. */
export const MAX_BUFFERED_BYTES = 262_144

export const MAX_CHAIN_DEPTH = 4
/** Decoded so that a chain over the depth is refused as such and not as garbage. */
export const MAX_DECODED_CHAIN = 8
export const MAX_CERTIFICATE_BYTES = 1024
export const MAX_TICKET_BYTES = 5120
export const MAX_TICKET_ADDRESSES = 8
export const MAX_ADDRESS_CHARS = 192
export const MAX_TICKET_USES = 256
/** With the grace of the issuer's ledger this bounds how long a redemption must be remembered. */
export const MAX_TICKET_SECONDS = 30 * 86_400
export const TICKET_NONCE_BYTES = 16
export const TICKET_PREFIX = 'kairos1'

export const MAX_GENESIS_BYTES = 32_768
export const MAX_GENESIS_TEXT_CHARS = 131_072
export const MAX_OPERATORS = 64
export const MAX_FOUNDERS_PER_OPERATOR = 32
/** Σ weights < 2³³, so that weighted Q1.30 sums fit 64 bits (coherence.md P11). */
export const MAX_TOTAL_WEIGHT = 2 ** 33

/** Signature domains: a signature for one purpose is worth nothing for another. */
export const CERTIFICATE_DOMAIN = 'kairos/certificate/1'
export const TICKET_DOMAIN = 'kairos/ticket/1'

export const DEFAULT_OMEGA = 2 * Math.PI
export const DEFAULT_COLLAPSE_THRESHOLD = 0.95
export const DEFAULT_EPOCH_MS = 1000
