import { randomBytes } from 'node:crypto'
import type { Cell } from '../../consensus/cell/index.ts'
import { commandCodec, SESSION_WINDOW, versionOf, type Command, type Result } from '../../consensus/state/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { ERRORS } from '../error-table.ts'

type Distribute<T> = T extends unknown ? Omit<T, 'v' | 'id' | 'session' | 'time'> : never
/** Bytes of whatever buffer. */
type Loose<T> = T extends Uint8Array ? Uint8Array : T extends object ? { [K in keyof T]: Loose<T[K]> } : T
/** What a command asks for; who asks and when is added here. */
export type Request = Loose<Distribute<Command>>

/** Of one node at once. */
const MAX_UNDER_WAY = 256
export const COMMAND_TIMEOUT_MS = 10_000

interface Session {
  readonly client: string
  readonly opened: number
  sequence: number
  /** ascending */
  readonly underWay: Set<number>
  isForgotten: boolean
}

/** Proposes commands under a session of this process, so that each is applied once however often it is sent. */
export class Commands {
  readonly #cell: Pick<Cell, 'applied' | 'read' | 'propose'>
  readonly #onCommit: (ms: number) => void
  #session: Promise<Session> | undefined
  #underWay = 0

  constructor(cell: Pick<Cell, 'applied' | 'read' | 'propose'>, onCommit: (ms: number) => void) {
    this.#cell = cell
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
    this.#underWay += 1
    try {
      return accepted(await this.#propose(request, performance.now() + timeoutMs))
    } finally {
      this.#underWay -= 1
    }
  }

  async #propose(request: Request, deadline: number): Promise<Result> {
    const { session, sequence } = await this.#begin(deadline)
    const { client, opened } = session
    try {
      const id = `${client}.${sequence}`
      const v = versionOf(request.type)
      const command = { ...request, v, id, session: { client, opened, sequence }, time: Date.now() }
      const started = performance.now()
      const { result } = await this.#cell.propose(id, commandCodec.encode(command as Command), deadline - started)
      this.#onCommit(performance.now() - started)
      if (!isForgotten(result as Result)) return result as Result
      session.isForgotten = true
      throw forgotten()
    } finally {
      session.underWay.delete(sequence)
    }
  }

  /** Begins another session rather than to take over the slot of a command that is still under way. */
  async #begin(deadline: number): Promise<{ session: Session; sequence: number }> {
    for (;;) {
      const opening = (this.#session ??= this.#open(deadline - performance.now()))
      const session = await opening.catch((error: unknown) => {
        this.#end(opening)
        throw error
      })
      const sequence = session.sequence + 1
      const [oldest = sequence] = session.underWay
      if (!session.isForgotten && sequence < oldest + SESSION_WINDOW) {
        session.sequence = sequence
        session.underWay.add(sequence)
        return { session, sequence }
      }
      this.#end(opening)
    }
  }

  /** At what is agreed now: a session that says it was opened long ago counts as forgotten, as one of a joiner would. */
  async #open(timeoutMs: number): Promise<Session> {
    await this.#cell.read(timeoutMs)
    return {
      client: randomBytes(12).toString('base64url'),
      opened: this.#cell.applied,
      sequence: 0,
      underWay: new Set(),
      isForgotten: false,
    }
  }

  /** The next command begins another, unless one did already. */
  #end(session: Promise<Session>): void {
    if (this.#session === session) this.#session = undefined
  }
}

function isForgotten(result: Result): boolean {
  return !result.ok && result.code === 'E_COMMAND_STALE'
}

/** Its first try may have been applied, and the result be forgotten since. */
function forgotten(): CodedError {
  return new CodedError(
    'E_OUTCOME_UNKNOWN',
    'the cell no longer knows the command: it may or may not have been applied',
    {
      hint: 'look whether it took effect before you try again',
    },
  )
}

function accepted(result: Result): Result & { ok: true } {
  if (result.ok) return result
  throw new CodedError(result.code, refusalOf(result), { hint: hintOf(result) })
}

/** With what the refusal says of itself: which of many it is about, and what was wanted beside what there is. */
function refusalOf({ code, at, wants, has }: Result & { ok: false }): string {
  const meaning = ERRORS[code]?.meaning ?? 'The cell refused the command.'
  const lack = wants === undefined || has === undefined ? '' : ` It wants ${lackOf(wants, has)}.`
  return `${meaning}${lack}${at === undefined || at === 0 ? '' : ` (number ${at + 1} of the command)`}`
}

function hintOf({ has }: Result & { ok: false }): string | undefined {
  if (has === undefined) return undefined
  const more = 'have more members, in failure domains of their own: `kairos invite --role full`'
  return has === 0 ? more : `ask for fewer copies (\`--rmin ${has}\`), or ${more}`
}

function lackOf(wants: number, has: number): string {
  const copies = wants === 1 ? '1 copy' : `${wants} copies`
  if (has === 0) return `${copies}, and no member can hold one`
  return has === 1
    ? `${copies}, and only 1 member or failure domain can hold one`
    : `${copies}, and only ${has} members or failure domains can hold one each`
}
