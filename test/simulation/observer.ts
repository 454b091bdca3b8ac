import type { Configuration, EngineEffects, EngineStart, Entry, HardState } from '../../consensus/cell/engine.ts'

export interface Violation {
  readonly invariant: string
  readonly detail: string
}

/** What of the disks the observer may ask: the truth behind the ports. */
export interface Disks {
  /** whether this node would have that entry after a power cut now */
  holds(id: number, index: number, term: number): boolean
  hardState(id: number): HardState
  /** index of the last synced entry */
  last(id: number): number
}

interface NodeModel {
  configuration: Configuration
  hardState: HardState
  role: string
  term: number
  commit: number
  /** index before the first of `terms` */
  base: number
  baseTerm: number
  terms: number[]
}

interface Seen {
  readonly entry: Entry
  readonly previousTerm: number
}

/** Checks Raft's five properties (Ongaro & Ousterhout, figure 3) and the host's duties on everything that engines say. */
export class Observer {
  violation: Violation | undefined
  /** leaders in the order of their election */
  readonly elections: { readonly term: number; readonly id: number }[] = []
  topChosen = 0
  readonly #disks: Disks
  readonly #nodes = new Map<number, NodeModel>()
  readonly #leaders = new Map<number, number>()
  readonly #seen = new Map<number, Seen>()
  readonly #chosen = new Map<number, Entry>()
  readonly #applied = new Map<number, number>()
  readonly #roots = new Map<number, string>()
  readonly #effects = new Map<string, number>()
  readonly #promises = new Map<Uint8Array, { readonly id: number; readonly hardState: HardState }>()
  readonly #votes = new Map<string, number>()

  constructor(disks: Disks) {
    this.#disks = disks
  }

  report(invariant: string, detail: string): void {
    this.violation ??= { invariant, detail }
  }

  /** An engine starts with what its log gave. */
  started(start: EngineStart): void {
    const { id, hardState, configuration, snapshot, entries, applied } = start
    const truth = this.#disks.hardState(id)
    if (hardState.term !== truth.term || hardState.vote !== truth.vote) {
      this.report(
        'restart',
        `${id} starts in term ${hardState.term} with vote ${hardState.vote}; synced was ${truth.term}, ${truth.vote}`,
      )
    }
    this.#forgetUnsynced(id, truth.term)
    const terms = entries.map(({ term }) => term)
    const model = { configuration, hardState, role: 'follower', term: hardState.term, commit: hardState.commit }
    this.#nodes.set(id, { ...model, base: snapshot.index, baseTerm: snapshot.term, terms })
    this.#applied.set(id, applied)
    const last = snapshot.index + terms.length
    if (last > 0 && !this.#disks.holds(id, last, terms.at(-1) ?? snapshot.term)) {
      this.report('restart', `${id} starts with an entry ${last} that was not synced`)
    }
    if (last < this.#disks.last(id)) this.report('restart', `${id} has forgotten what follows on ${last}`)
  }

  // Who is alone leads before its term is synced: a crash takes term and entries, which nobody ever saw.
  #forgetUnsynced(id: number, synced: number): void {
    for (const [term, leader] of this.#leaders) {
      if (leader !== id || term <= synced) continue
      for (const [key, { entry }] of this.#seen) if (entry.term === term) this.#seen.delete(key)
    }
  }

  effects(id: number, effects: EngineEffects): void {
    const node = this.#nodes.get(id)
    if (node === undefined) return
    if (effects.configuration !== undefined) node.configuration = effects.configuration
    if (effects.hardState !== undefined) node.hardState = effects.hardState
    if (effects.snapshot !== undefined) {
      node.base = effects.snapshot.index
      node.baseTerm = effects.snapshot.term
      node.terms = []
      this.#applied.set(id, effects.snapshot.index)
    }
    if (effects.entries.length > 0) this.#appended(id, node, effects.entries, effects.status.role === 'leader')
    if (effects.status.role === 'leader') this.#leads(id, node, effects)
    node.role = effects.status.role
    node.term = effects.status.term
    node.commit = effects.status.commit
    for (const entry of effects.committed) this.#choose(id, entry)
    for (const { bytes } of effects.persistedMessages) this.#promises.set(bytes, { id, hardState: node.hardState })
  }

  /** What a message promises must be durable, and must not contradict what was promised before. */
  sent(message: Uint8Array): void {
    const promise = this.#promises.get(message)
    if (promise === undefined) return
    this.#promises.delete(message)
    const { id, hardState } = promise
    const synced = this.#disks.hardState(id)
    // A later vote in this term may have been synced together with it.
    const isSame = synced.term === hardState.term && (hardState.vote === 0 || synced.vote === hardState.vote)
    const kept = synced.term > hardState.term || isSame
    if (!kept) {
      const said = `term ${hardState.term}, vote ${hardState.vote}`
      this.report('persist before send', `${id} speaks for ${said}; synced is ${synced.term}, ${synced.vote}`)
    }
    if (hardState.vote === 0) return
    const key = `${id}/${hardState.term}`
    const before = this.#votes.get(key) ?? hardState.vote
    if (before !== hardState.vote) {
      this.report('one vote a term', `${id} gave ${before} and ${hardState.vote} its vote in term ${hardState.term}`)
    }
    this.#votes.set(key, before)
  }

  /** A state machine that starts says how far it got. */
  opened(id: number, applied: number): void {
    this.#applied.set(id, applied)
  }

  apply(id: number, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const applied = this.#applied.get(id) ?? 0
      if (entry.index !== applied + 1) this.report('applied in order', `${id} applies ${entry.index} after ${applied}`)
      this.#applied.set(id, entry.index)
      const chosen = this.#chosen.get(entry.index)
      if (chosen === undefined)
        this.report('state machine safety', `${id} applies ${entry.index} before it is committed`)
      else if (!same(chosen, entry))
        this.report('state machine safety', `${id} applies another entry at ${entry.index}`)
    }
  }

  /** A command took effect in a state machine. */
  effect(commandId: string, index: number): void {
    const before = this.#effects.get(commandId)
    if (before === undefined) this.#effects.set(commandId, index)
    else if (before !== index) this.report('applied never twice', `${commandId} took effect at ${before} and ${index}`)
  }

  /** The product's own state machine has come to an index: to the same state on every node. */
  agreed(id: number, index: number, root: string, wrong: string | undefined): void {
    if (wrong !== undefined) this.report('the state machine never fails', `${id}: ${wrong}`)
    const before = this.#roots.get(index) ?? root
    this.#roots.set(index, before)
    if (before !== root) this.report('equal roots', `${id} has another state at ${index} than others had`)
  }

  /** A client was told a result. */
  answered(commandId: string): void {
    if (!this.#effects.has(commandId))
      this.report('answered after commit', `${commandId} was answered before any applied it`)
  }

  took(commandId: string): boolean {
    return this.#effects.has(commandId)
  }

  #appended(id: number, node: NodeModel, entries: readonly Entry[], leads: boolean): void {
    const last = node.base + node.terms.length
    const first = entries[0]!.index
    if (first > last + 1 || first <= node.base) this.report('log matching', `${id} has ${last}, appends ${first}`)
    if (leads && node.role === 'leader' && first !== last + 1) {
      this.report('leader append-only', `leader ${id} of ${last} entries writes at ${first}`)
    }
    node.terms.length = Math.max(0, Math.min(node.terms.length, first - node.base - 1))
    for (const entry of entries) {
      const previousTerm = node.terms.at(-1) ?? node.baseTerm
      const key = entry.index * 2 ** 20 + entry.term
      const seen = this.#seen.get(key)
      if (seen === undefined) this.#seen.set(key, { entry, previousTerm })
      else if (!same(seen.entry, entry) || seen.previousTerm !== previousTerm) {
        this.report('log matching', `${id} has another entry ${entry.index} of term ${entry.term}`)
      }
      node.terms.push(entry.term)
    }
  }

  #leads(id: number, node: NodeModel, { status: { term, commit } }: EngineEffects): void {
    const leader = this.#leaders.get(term)
    if (leader === undefined) {
      this.#leaders.set(term, id)
      this.elections.push({ term, id })
      this.#complete(id, node)
    } else if (leader !== id) this.report('election safety', `${leader} and ${id} lead term ${term}`)
    if (commit > node.commit) this.#durable(id, node, commit)
  }

  #complete(id: number, node: NodeModel): void {
    const chosen = this.#chosen.get(this.topChosen)
    if (chosen === undefined || this.topChosen <= node.base) return
    const held = node.terms[this.topChosen - node.base - 1]
    if (held !== chosen.term) {
      this.report('leader completeness', `leader ${id} lacks the committed entry ${this.topChosen}`)
    }
  }

  // A commit is worth what a majority of disks would still hold if all lost power now.
  #durable(id: number, node: NodeModel, commit: number): void {
    const term = commit > node.base ? node.terms[commit - node.base - 1] : undefined
    if (term === undefined) return
    for (const voters of [node.configuration.voters, node.configuration.votersOutgoing]) {
      const holders = voters.filter((voter) => this.#disks.holds(voter, commit, term)).length
      if (voters.length > 0 && 2 * holders <= voters.length) {
        this.report('committed is durable', `${id} commits ${commit}, synced on ${holders} of ${voters.length}`)
      }
    }
  }

  #choose(id: number, entry: Entry): void {
    const chosen = this.#chosen.get(entry.index)
    if (chosen === undefined) this.#chosen.set(entry.index, entry)
    else if (!same(chosen, entry)) this.report('state machine safety', `${id} commits another entry at ${entry.index}`)
    this.topChosen = Math.max(this.topChosen, entry.index)
  }
}

function same(a: Entry, b: Entry): boolean {
  if (a === b) return true
  if (a.term !== b.term || a.kind !== b.kind || a.data.length !== b.data.length) return false
  for (let i = 0; i < a.data.length; i++) if (a.data[i] !== b.data[i]) return false
  return true
}
