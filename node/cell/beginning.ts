import type { MeshState } from '../../consensus/epoch/types.ts'
import { FOUNDER_RAFT_ID } from '../../consensus/state/index.ts'
import { isFirstOfGenesis, isFirstOfRecord, isFounder } from './founding.ts'
import type { CellServiceInit } from './init.ts'
import { joinCell, type JoinInit } from './join.ts'
import type { DurableLog } from './log.ts'

export interface BeginningInit extends Pick<CellServiceInit, 'membership' | 'store'> {
  log: DurableLog
  asking: Omit<JoinInit, 'incarnation' | 'signal'>
}

/** How this node comes to its raft id: from its log, by beginning the cell, or from the members. */
export class Beginning {
  readonly #init: BeginningInit
  /** Aborts when this node need not join: its cell begins with it. */
  readonly #first = new AbortController()
  #isJoining = false

  constructor(init: BeginningInit) {
    this.#init = init
  }

  /** @returns undefined for a node that has to join */
  async known(): Promise<number | undefined> {
    const { membership, log } = this.#init
    const isFirst = isFirstOfGenesis(membership) || log.raftId === FOUNDER_RAFT_ID
    return (await isFounder(this.#init, log, isFirst)) || log.raftId > 0 ? log.raftId : undefined
  }

  /** @returns the id, which is durable; undefined when the signal aborted */
  async join(signal: AbortSignal): Promise<number | undefined> {
    const { log, asking } = this.#init
    const ask = (until: AbortSignal): Promise<number | undefined> =>
      joinCell({ ...asking, incarnation: log.incarnation, signal: until })
    this.#isJoining = true
    let raftId = await ask(AbortSignal.any([signal, this.#first.signal]))
    this.#isJoining = false
    if (raftId === undefined && !signal.aborted)
      raftId = (await isFounder(this.#init, log, true)) ? FOUNDER_RAFT_ID : await ask(signal)
    if (raftId === undefined || signal.aborted) return undefined
    if (log.raftId !== raftId) await log.setRaftId(raftId)
    return raftId
  }

  /** Told of the mesh's record, as it goes on: where it names this node as the first of a cell, the cell begins. */
  recorded(state: Pick<MeshState, 'operators'>): void {
    if (this.#isJoining && isFirstOfRecord(this.#init.membership, state)) this.#first.abort()
  }
}
