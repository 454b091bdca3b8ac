import type { Role } from '../protocols/admission/index.ts'

export type WitnessLayer = 'micro' | 'meso' | 'macro' | 'epoch'

/** The services of a role: what is started, and in which way. */
export interface RoleServices {
  emissary: boolean
  /** The master transducer and the sync layer. */
  master: boolean
  clock: boolean
  /** Everyone subscribes, since only subscribers forward; `publish` also sends. */
  phaseGossip: 'publish' | 'listen' | 'forward'
  cellConsensus: 'voter' | 'none'
  meshConsensus: 'validator' | 'certificates' | 'evidence'
  content: 'allocations' | 'cache' | 'witness-log' | 'forward'
  dht: 'server' | 'client'
  relay: 'serve' | 'use' | 'none'
  witnessLog: readonly WitnessLayer[]
}

/** Which role runs what: the only place that says so. */
export const ROLES: Readonly<Record<Role, RoleServices>> = {
  full: {
    emissary: true,
    master: true,
    clock: true,
    phaseGossip: 'publish',
    cellConsensus: 'voter',
    meshConsensus: 'validator',
    content: 'allocations',
    dht: 'server',
    relay: 'none',
    witnessLog: ['micro', 'meso', 'macro'],
  },
  light: {
    emissary: true,
    master: false,
    clock: true,
    phaseGossip: 'publish',
    cellConsensus: 'none',
    meshConsensus: 'certificates',
    content: 'cache',
    dht: 'client',
    relay: 'use',
    witnessLog: ['micro'],
  },
  witness: {
    emissary: false,
    master: false,
    clock: true,
    phaseGossip: 'listen',
    cellConsensus: 'none',
    meshConsensus: 'evidence',
    content: 'witness-log',
    dht: 'server',
    relay: 'none',
    witnessLog: ['micro', 'meso', 'macro', 'epoch'],
  },
  relay: {
    emissary: false,
    master: false,
    clock: false,
    phaseGossip: 'forward',
    cellConsensus: 'none',
    // It carries others' connections: whom a cell has put out, it must know.
    meshConsensus: 'certificates',
    content: 'forward',
    dht: 'server',
    relay: 'serve',
    witnessLog: [],
  },
}
