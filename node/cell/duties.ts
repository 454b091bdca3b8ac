import type { Cell } from '../../consensus/cell/index.ts'
import { messageOf } from '../../protocols/shared/errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { Commands, Request } from './commands.ts'
import type { CellMachine } from './machine.ts'
import { standing } from './record.ts'

/** What was not committed is said again no later than this. */
const AGAIN_MS = 5_000

export interface DutiesInit {
  machine: Pick<CellMachine, 'tree' | 'markedIndex' | 'markedRoot'>
  commands: Pick<Commands, 'submit'>
  log: Pick<Log, 'debug'>
  /** Undefined when this node did not found its cell. */
  founder: { readonly peerId: string; readonly incarnation: Uint8Array } | undefined
}

type Leading = Pick<Cell, 'status' | 'configuration'>

/** What the leader says for all. */
export class LeaderDuties {
  readonly #init: DutiesInit
  readonly #promoting = new Set<number>()
  #isFounding = false
  #checkpointed = 0
  #timer: NodeJS.Timeout | undefined

  constructor(init: DutiesInit) {
    this.#init = init
  }

  /** From here on by itself too: in a cell where nothing is written nobody else would try again. */
  start(cell: Leading, everyMs = AGAIN_MS): void {
    this.run(cell)
    this.#timer = setInterval(() => this.run(cell), everyMs).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  run({ status, configuration }: Leading): void {
    if (status.role !== 'leader') return
    this.#found()
    this.#promote(configuration.voters)
    this.#checkpoint()
  }

  /** A cell begins without a member; its founder votes already, under the id that the first to join gets. */
  #found(): void {
    const { machine, founder } = this.#init
    if (founder === undefined || this.#isFounding || standing(machine.tree).length > 0) return
    this.#isFounding = true
    void this.#say({ type: 'member-join', ...founder }).then(() => (this.#isFounding = false))
  }

  /** Who votes now is told so in the state. */
  #promote(voters: readonly number[]): void {
    for (const { id, status } of standing(this.#init.machine.tree)) {
      if (status !== 'joining' || !voters.includes(id) || this.#promoting.has(id)) continue
      this.#promoting.add(id)
      void this.#say({ type: 'member-promoted', raftId: id }).then(() => this.#promoting.delete(id))
    }
  }

  /** Lets every member compare its state with the leader's: one that differs stops. */
  #checkpoint(): void {
    const { machine } = this.#init
    const index = machine.markedIndex
    if (index <= this.#checkpointed) return
    this.#checkpointed = index
    void this.#say({ type: 'checkpoint', index, root: machine.markedRoot() })
  }

  /** What is lost with a leadership the next leader says. */
  async #say(request: Request): Promise<void> {
    await this.#init.commands.submit(request).catch((error: unknown) => {
      this.#init.log.debug('a word of the leader was not committed', { type: request.type, reason: messageOf(error) })
    })
  }
}
