import type { Cell } from '../../consensus/cell/index.ts'
import { messageOf } from '../../protocols/shared/errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { Commands, Request } from './commands.ts'
import type { CellMachine } from './machine.ts'
import { standing } from './record.ts'

/** What the leader says for all, after entries were applied. */
export class LeaderDuties {
  readonly #machine: CellMachine
  readonly #commands: Commands
  readonly #log: Log
  readonly #promoting = new Set<number>()
  #checkpointed = 0

  constructor(machine: CellMachine, commands: Commands, log: Log) {
    this.#machine = machine
    this.#commands = commands
    this.#log = log
  }

  run({ status, configuration }: Cell): void {
    if (status.role !== 'leader') return
    this.#promote(configuration.voters)
    this.#checkpoint()
  }

  /** Who votes now is told so in the state. */
  #promote(voters: readonly number[]): void {
    for (const { id, status } of standing(this.#machine.tree)) {
      if (status !== 'joining' || !voters.includes(id) || this.#promoting.has(id)) continue
      this.#promoting.add(id)
      void this.#say({ type: 'member-promoted', raftId: id }).then(() => this.#promoting.delete(id))
    }
  }

  /** Lets every member compare its state with the leader's: one that differs stops. */
  #checkpoint(): void {
    const index = this.#machine.markedIndex
    if (index <= this.#checkpointed) return
    this.#checkpointed = index
    void this.#say({ type: 'checkpoint', index, root: this.#machine.markedRoot() })
  }

  /** What is lost with a leadership the next leader says. */
  async #say(request: Request): Promise<void> {
    await this.#commands.submit(request).catch((error: unknown) => {
      this.#log.debug('a word of the leader was not committed', { type: request.type, reason: messageOf(error) })
    })
  }
}
