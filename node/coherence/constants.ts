/** I_c: |T|² at which a transducer collapses (coherence.md §6). */
export const COLLAPSE_THRESHOLD = 0.95

/** |T|² below which a collapsed transducer is released; the distance to I_c is the hysteresis. */
export const RELEASE_THRESHOLD = 0.9

/** Fewer independent samples than this and noise alone passes I_c more often than once in a million (P5). */
export const MIN_EFFECTIVE_SAMPLES = 18

/** tau_max of the Emissary, seconds. */
export const EMISSARY_TAU_MAX_S = 1

/** Greatest ||T_m|-|T_e|| at which T_sync may collapse (configuration `sync.phase_threshold`). */
export const PHASE_THRESHOLD = 0.1

// A ring of phasors and a block of readings are memory that configuration can make grow.
export const MAX_LAG = 1 << 20
export const MAX_WINDOW_SAMPLES = 1 << 24
export const MAX_BLOCK = 1 << 20

// Beyond these ω·t is no angle any more: a double cannot hold a fraction of a turn.
export const MAX_TIME_S = Number.MAX_SAFE_INTEGER
export const MAX_OMEGA = 1e12
