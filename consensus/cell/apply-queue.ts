import type { CommittedEntry, Configuration, SnapshotMeta } from './engine.ts'
import type { Applied, StateMachine } from './ports.ts'

/** Entries for one turn of the state machine, or a leader's snapshot that takes its place. */
type Work =
  | { readonly entries: CommittedEntry[]; readonly configured: Map<number, Configuration> }
  | { readonly install: SnapshotMeta }

/** Greatest number of entries that one transaction applies. */
const MAX_TURN = 4096

/** Feeds the state machine in the order of the log, one turn at a time. */
export class ApplyQueue {
  #work: Work[] = []
  #busy = false

  /** Whether a turn can be taken now. */
  get isReady(): boolean {
    return !this.#busy && this.#work.length > 0
  }

  push(entries: readonly CommittedEntry[], configured: ReadonlyMap<number, Configuration>): void {
    if (entries.length === 0) return
    const last = this.#work.at(-1)
    if (last !== undefined && 'entries' in last && last.entries.length + entries.length <= MAX_TURN) {
      last.entries.push(...entries)
      for (const [index, configuration] of configured) last.configured.set(index, configuration)
    } else {
      this.#work.push({ entries: [...entries], configured: new Map(configured) })
    }
  }

  /** What was to be applied before it is part of it. */
  pushInstall(install: SnapshotMeta): void {
    this.#work = [{ install }]
  }

  /** @returns what the next turn applied, and the term at its end */
  async turn(machine: StateMachine): Promise<{ applied: readonly Applied[]; term: number }> {
    const work = this.#work.shift()!
    this.#busy = true
    try {
      if ('entries' in work) {
        return { applied: await machine.apply(work.entries, work.configured), term: work.entries.at(-1)!.term }
      }
      await machine.install(work.install)
      return { applied: [], term: work.install.term }
    } finally {
      this.#busy = false
    }
  }
}
