import type { EngineStart } from './engine.ts'
import type { CellInit, CellOptions } from './init.ts'
import type { LogStart } from './ports.ts'

/** What an engine begins with, of what the log and the state machine hold. @param seed - another one for each engine */
export function engineStart(
  { id, machine }: Pick<CellInit, 'id' | 'machine'>,
  { electionTicks, heartbeatTicks }: CellOptions,
  { hardState, snapshot, entries }: LogStart,
  seed: number,
): EngineStart {
  // What is applied was committed, though the log may have been told of a lesser commit index.
  const commit = Math.max(hardState.commit, machine.applied)
  return {
    id,
    electionTicks,
    heartbeatTicks,
    snapshot,
    entries,
    seed: seed % Number.MAX_SAFE_INTEGER,
    hardState: { ...hardState, commit },
    configuration: machine.configuration,
    applied: machine.applied,
  }
}

/** Term of the entry at an index of a start, for a snapshot that is taken there. */
export function termAt({ snapshot, entries }: LogStart, index: number): number {
  return entries[index - snapshot.index - 1]?.term ?? snapshot.term
}
