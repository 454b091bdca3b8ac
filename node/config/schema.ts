import { z } from 'zod'
import { nameSchema } from '../../protocols/admission/index.ts'
import { signal } from './section-signal.ts'
import { api, content, mesh, network, node, phase, pins, storage } from './sections-node.ts'
import { emissary, kairos, logging, master, memory, security, sync, witnessing } from './sections-source.ts'

/** The whole configuration. Every object is strict: an unknown key is an error, never ignored. */
export const configSchema = z.strictObject({
  name: nameSchema.default('kairos').describe('Name of this node, for people.'),
  node,
  kairos,
  master,
  emissary,
  sync,
  signal,
  phase,
  mesh,
  network,
  api,
  security,
  memory,
  witnessing,
  content,
  pins,
  storage,
  logging,
})

/** A checked configuration: every default filled in. */
export type Config = z.output<typeof configSchema>

/** The same, as people may write it. */
export type ConfigInput = z.input<typeof configSchema>
