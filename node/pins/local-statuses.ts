import type { QueryParams } from '../../protocols/query/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { parsePath } from '../content/path.ts'
import type { PinOperations, PinStatusDocument } from '../operations.ts'

const DEFAULT_ROWS = 100
const MAX_ROWS = 1000

/** After the rows of a page: where the next one begins. */
export interface MoreRow {
  next: string
}

/**
 * What this node itself observes of its pins, for other nodes: one row per pin (protocols/query/spec.md, `pins`).
 *
 * @param params - of a peer: `cid`, or `after` and `limit`
 * @throws {CodedError} E_CID_INVALID, E_PARAMETER, E_PIN_UNKNOWN
 */
export async function* localStatuses(
  pins: PinOperations,
  { cid, after, limit = DEFAULT_ROWS }: QueryParams,
  signal: AbortSignal,
): AsyncGenerator<PinStatusDocument | MoreRow> {
  if (cid !== undefined) {
    yield await pins.status(bareCid(cid), { local: true }, signal)
    return
  }
  if (!Number.isInteger(limit) || Number(limit) < 1 || Number(limit) > MAX_ROWS)
    throw new CodedError('E_PARAMETER', `limit: give a whole number from 1 to ${MAX_ROWS}`)
  const page = { limit: Number(limit), local: true, ...(after === undefined ? {} : { after: String(after) }) }
  const { statuses, next } = await pins.statuses({}, page, signal)
  yield* statuses
  if (next !== null) yield { next }
}

/** A path below a CID is resolved by fetching: a peer must not make this node fetch what it likes. */
function bareCid(given: unknown): string {
  const { root, segments } = parsePath(String(given))
  if (segments.length > 0)
    throw new CodedError('E_CID_INVALID', 'a path is not resolved for others', { hint: 'ask for the CID itself' })
  return root.toString()
}
