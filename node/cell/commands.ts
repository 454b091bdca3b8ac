import { randomBytes } from 'node:crypto'
import type { Cell } from '../../consensus/cell/index.ts'
import { COMMAND_VERSION, commandCodec, type Command, type Result } from '../../consensus/state/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { ERRORS } from '../error-table.ts'

type Distribute<T> = T extends unknown ? Omit<T, 'v' | 'id' | 'session' | 'time'> : never
/** Bytes of whatever buffer. */
type Loose<T> = T extends Uint8Array ? Uint8Array : T extends object ? { [K in keyof T]: Loose<T[K]> } : T
/** What a command asks for; who asks and when is added here. */
export type Request = Loose<Distribute<Command>>

/** Far under the window of a session, in which results are remembered. */
const MAX_UNDER_WAY = 256
export const COMMAND_TIMEOUT_MS = 10_000

/** Proposes commands under a session of this process, so that each is applied once however often it is sent. */
export class Commands {
  readonly #cell: Cell
  readonly #client = randomBytes(12).toString('base64url')
  readonly #opened: number
  readonly #onCommit: (ms: number) => void
  #sequence = 0
  #underWay = 0

  constructor(cell: Cell, onCommit: (ms: number) => void) {
    this.#cell = cell
    this.#opened = cell.applied
    this.#onCommit = onCommit
  }

  /**
   * @returns what the state machine answered
   * @throws {CodedError} E_NO_QUORUM, E_OUTCOME_UNKNOWN, E_CELL_BUSY; or the code of the state machine's refusal
   */
  async submit(request: Request, timeoutMs = COMMAND_TIMEOUT_MS): Promise<Result & { ok: true }> {
    if (this.#underWay >= MAX_UNDER_WAY) {
      throw new CodedError('E_CELL_BUSY', 'too many commands of this node are under way', {
        hint: 'try again in a moment',
      })
    }
    const sequence = ++this.#sequence
    const id = `${this.#client}.${sequence}`
    const session = { client: this.#client, opened: this.#opened, sequence }
    const command = { ...request, v: COMMAND_VERSION, id, session, time: Date.now() } as Command
    const started = performance.now()
    this.#underWay += 1
    try {
      const { result } = await this.#cell.propose(id, commandCodec.encode(command), timeoutMs)
      this.#onCommit(performance.now() - started)
      return accepted(result as Result)
    } finally {
      this.#underWay -= 1
    }
  }
}

function accepted(result: Result): Result & { ok: true } {
  if (result.ok) return result
  throw new CodedError(result.code, ERRORS[result.code]?.meaning ?? 'the cell refused the command')
}
