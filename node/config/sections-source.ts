import { z } from 'zod'

/**
 * The sections that the source document has (its Appendix D, under `becomingone:`); they load
 * unchanged. The sections of ours are in `sections-node.ts`.
 */

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Any case is accepted (`INFO`), the lower case comes out. */
const logLevel = z
  .string()
  .toLowerCase()
  .pipe(z.enum(LOG_LEVELS))
  .default('info')
  .meta({ description: 'Lowest level that is written; any case.', enum: [...LOG_LEVELS] })

const flag = (initial: boolean, description: string) => z.boolean().default(initial).describe(description)
const positive = (initial: number, description: string) => z.number().positive().default(initial).describe(description)
const port = z.number().int().min(1).max(65_535)

export const kairos = z
  .strictObject({
    tau_scale: positive(1, 'Seconds in one unit of tau_max and witness_interval.'),
    coherence_threshold: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.95)
      .describe('I_c: a transducer collapses at |T|² ≥ this and is released 0.05 below it.'),
    omega: positive(2, 'ω, angular frequency of the reference oscillator, rad/s of signal time.'),
  })
  .prefault({})
  .describe('The coherence operator.')

function transducer(tauMax: number, witnessInterval: number, description: string) {
  return z
    .strictObject({
      enabled: flag(true, 'Whether this transducer runs, where the role has it.'),
      tau_max: positive(tauMax, 'A perfectly coherent input collapses after this long; tau = tau_max / 3.676138347.'),
      witness_interval: positive(witnessInterval, 'Time between two witnessed values.'),
    })
    .prefault({})
    .describe(description)
}

export const master = transducer(3600, 0.1, 'The slow transducer (full nodes).')
export const emissary = transducer(1, 0.01, 'The fast transducer (full and light nodes).')

export const sync = z
  .strictObject({
    phase_threshold: positive(0.1, 'T_sync collapses only while ||T_master| − |T_emissary|| is below this.'),
    mesh_enabled: flag(true, 'Whether the node dials mesh.peers.'),
    mesh: z
      .strictObject({
        peers: z
          .array(z.strictObject({ host: z.string().min(1), port }))
          .default([])
          .describe('Peers to dial at start by host and port, besides network.bootstrap.'),
      })
      .prefault({})
      .describe('Where the mesh is first met.'),
  })
  .prefault({})
  .describe('The sync layer and the peers it starts from.')

export const memory = z
  .strictObject({
    temporal_signatures: flag(true, 'Keep temporal signatures.'),
    coherence_history: flag(true, 'Keep the history of coherence values.'),
    witness_logs: flag(true, 'Keep the witness log.'),
    storage: z
      .strictObject({
        type: z.literal('temporal').default('temporal').describe('The kind of memory store; there is one.'),
        path: z
          .string()
          .min(1)
          .exactOptional()
          .describe('Directory of the memory; by default `memory` in the node’s own.'),
      })
      .prefault({})
      .describe('Where the memory lies.'),
  })
  .prefault({})
  .describe('What the node remembers.')

export const WITNESS_LAYERS = ['micro', 'meso', 'macro', 'meta'] as const

export const witnessing = z
  .strictObject({
    enabled: flag(true, 'Whether the node witnesses.'),
    layers: z
      .array(z.enum(WITNESS_LAYERS))
      .default([...WITNESS_LAYERS])
      .describe('Layers witnessed, of those that the role has.'),
  })
  .prefault({})
  .describe('The witness log.')

export const security = z
  .strictObject({
    intrinsic: flag(true, 'Collapse needs coherence; kept from the source document, which knows no other value.'),
    transport: z.enum(['noise', 'tls']).default('noise').describe('Encryption under the admission exchange.'),
    node_auth: z
      .literal('mutual_tls')
      .default('mutual_tls')
      .describe('Both sides prove their key, with noise as with tls.'),
  })
  .prefault({})
  .describe('Connections between nodes.')

export const logging = z
  .strictObject({
    level: logLevel,
    format: z.enum(['structured', 'text']).default('structured').describe('structured = JSON lines.'),
    witness_logs: flag(true, 'Whether witnessed values are logged too.'),
  })
  .prefault({})
  .describe('The log on stderr.')
