import type { CreateEngine, EngineStatus } from './engine.ts'
import type { Applied, Clock, Log, StateMachine, Transport } from './ports.ts'
import type { DesiredMember } from './reconcile.ts'

export interface CellOptions {
  readonly tickMs: number
  readonly electionTicks: number
  readonly heartbeatTicks: number
  /** entries applied after which a snapshot is taken */
  readonly snapshotEvery: number
  /** entries before a snapshot that stay in memory for members that lag */
  readonly keepEntries: number
  /** after which a command or a read that got no answer is sent again */
  readonly retryMs: number
  /** of entries that wait for the disk, above which {@link Cell.receive} has the others wait */
  readonly maxUnwrittenBytes: number
}

// Heartbeats every 80 ms and elections after 0.8 to 1.6 s: writes go on about 1.3 s after a leader died, while a pause of
// half a second (a slow disk, a busy machine) costs nobody its leader.
export const CELL_OPTIONS: CellOptions = {
  tickMs: 80,
  electionTicks: 10,
  heartbeatTicks: 1,
  snapshotEvery: 20_000,
  keepEntries: 5_000,
  retryMs: 2_500,
  // More than a leader that keeps the rules has on its way to one member.
  maxUnwrittenBytes: 8 << 20,
}

/** What a cell tells who runs it; none of it may throw. */
export interface CellEvents {
  /** role, leader or term changed */
  onStatus?(status: EngineStatus): void
  onApplied?(applied: readonly Applied[]): void
  /** the engine trapped and was made anew from the log */
  onTrap?(cause: unknown): void
  /** messages that no member that keeps the rules sends */
  onRefused?(count: number): void
  /** The disk or the state machine failed: the member has stopped and must not be started again by itself. */
  onFatal(cause: unknown): void
}

export interface CellInit {
  /** this member's raft id */
  readonly id: number
  /** a fresh instance each time: a trap spoils the one before */
  readonly loadEngine: () => Promise<CreateEngine>
  readonly log: Log
  readonly transport: Transport
  readonly machine: StateMachine
  readonly clock: Clock
  /** of this start: seeds the elections' timeouts, whole and under 2^53 */
  readonly seed: number
  /** of this start, so that no two questions of reads are ever the same; 8 bytes or more */
  readonly nonce: Uint8Array
  /** members as the applied state has them */
  readonly desired: () => readonly DesiredMember[]
  readonly events: CellEvents
  readonly options?: Partial<CellOptions>
}
