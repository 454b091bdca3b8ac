import type { CreateEngine, EngineStatus, InMessage } from '../../consensus/cell/engine.ts'
import { Cell } from '../../consensus/cell/cell.ts'
import type { Clock, Log, StateMachine, Transport } from '../../consensus/cell/ports.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { Answer } from './clients.ts'
import type { Disk } from './disk.ts'
import type { Blocks, Registers } from './machine.ts'

/** What the simulation asks of a running member of a cell. */
export interface Member {
  /** @throws when its log is damaged */
  start(): Promise<void>
  receive(message: InMessage): void
  execute(id: string, data: Uint8Array): Promise<Answer>
  /** @returns whether the state here may now be read */
  readable(): Promise<boolean>
  transfer(to: number): void
  unreachable(id: number): void
  snapshotSent(id: number, ok: boolean): void
  status(): EngineStatus | undefined
  /** the process is gone: its memory goes too */
  kill(): void
}

export interface MemberPorts {
  readonly id: number
  readonly createEngine: CreateEngine
  readonly log: Log
  readonly machine: StateMachine
  readonly transport: Transport
  readonly clock: Clock
  readonly desired: () => readonly { readonly id: number; readonly isRemoved: boolean }[]
  readonly snapshotEvery: number
  readonly keepEntries: number
  readonly retryMs: number
  readonly seed: number
  readonly trapped: (cause: unknown) => void
  readonly stopped: (cause: unknown) => void
}

/** A planted defect of what surrounds the engine: each part is put between the driver and the honest one. */
export interface Mutant {
  readonly name: string
  readonly what: string
  readonly ports?: (ports: MemberPorts, world: MutantWorld) => MemberPorts
  readonly member?: (member: Member, ports: MemberPorts) => Member
}

/** What of a node a defect may reach that no port shows. */
export interface MutantWorld {
  readonly disk: Disk
  readonly machine: Registers | undefined
  readonly blocks: Blocks
  after(ms: number, run: () => void): () => void
}

const TIMEOUT_MS = 1400

/** The product's own member, under the simulation's ports. */
export function cellMember(ports: MemberPorts): Member {
  let cell: Cell | undefined
  return {
    start: async () => {
      cell = await Cell.start(initOf(ports))
    },
    receive: (message) => void cell?.receive([message]),
    execute: async (id, data) => {
      if (cell === undefined) return { kind: 'refused' }
      return cell.propose(id, data, TIMEOUT_MS).then(({ result }) => ({ kind: 'done', result: Number(result) }), failed)
    },
    readable: async () => {
      if (cell === undefined) return false
      return cell.read(TIMEOUT_MS).then(
        () => true,
        () => false,
      )
    },
    transfer: (to) => cell?.transfer(to),
    unreachable: (id) => cell?.unreachable(id),
    snapshotSent: (id, ok) => cell?.snapshotSent(id, ok),
    status: () => cell?.status,
    kill: () => void cell?.stop(),
  }
}

function initOf(ports: MemberPorts): Parameters<typeof Cell.start>[0] {
  const { id, createEngine, log, transport, machine, clock, seed, desired } = ports
  const { snapshotEvery, keepEntries, retryMs } = ports
  const nonce = new Uint8Array(8)
  new DataView(nonce.buffer).setUint32(0, id)
  new DataView(nonce.buffer).setUint32(4, seed)
  return {
    id,
    log,
    transport,
    machine,
    clock,
    seed,
    nonce,
    desired,
    loadEngine: async () => createEngine,
    events: { onTrap: ports.trapped, onFatal: ports.stopped },
    options: { snapshotEvery, keepEntries, retryMs },
  }
}

function failed(error: unknown): Answer {
  const code = error instanceof CodedError ? error.code : undefined
  if (code === 'E_OUTCOME_UNKNOWN') return { kind: 'unknown' }
  if (code === 'E_NO_QUORUM' || code === 'E_CELL_BUSY') return { kind: 'refused' }
  throw error
}
