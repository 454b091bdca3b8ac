import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import type { CommittedEntry } from '../../consensus/cell/index.ts'
import { commandCodec, root, type Halt, type Mark } from '../../consensus/state/index.ts'
import { CodedError, codeOf } from '../../protocols/shared/errors.ts'
import { writeFileDurable } from '../storage/files.ts'
import { storageError } from '../storage/storage-error.ts'

const FILE = 'diverged'

/** Why a node cannot go on after `entry`. */
export function haltOf(halt: Halt, entry: CommittedEntry, marks: readonly Mark[]): CodedError {
  const what = `this node cannot apply entry ${entry.index} of its cell as the others do, and stops`
  if (halt === 'E_STATE_DIVERGED') return new CodedError(halt, `${what}: ${differenceOf(entry, marks)}`)
  const hint =
    halt === 'E_COMMAND_VERSION'
      ? 'install the release that the other members run'
      : 'a defect: keep the store for a report, and let the node rejoin with an empty one'
  return new CodedError(halt, what, { hint })
}

function differenceOf({ data }: CommittedEntry, marks: readonly Mark[]): string {
  const command = commandCodec.decode(data)
  if (command.type !== 'checkpoint') return 'its state differs'
  const { index, root: wanted } = command
  const mark = marks.find((one) => one.index === index)
  const own = mark === undefined ? 'not kept' : root(mark.tree).toString()
  return `at index ${index} the root of its state is ${own}, and the leader's ${CID.decode(wanted).toString()}`
}

/**
 * Durable when it resolves: a node that a difference has stopped must not forget it with its memory.
 *
 * @returns what to stop with
 */
export async function noteDivergence(directory: string, message: string): Promise<CodedError> {
  await writeFileDurable(join(directory, FILE), `${message}\n`)
  return diverged(directory, message)
}

/** @throws {CodedError} E_STATE_DIVERGED when this store was found to differ from its cell's */
export async function refuseDiverged(directory: string): Promise<void> {
  const file = join(directory, FILE)
  const message = await readFile(file, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw storageError(error, file)
  })
  if (message !== undefined) throw diverged(directory, message.trim())
}

/** With the way on: from a wrong state, or past a wrong leader. */
function diverged(directory: string, message: string): CodedError {
  return new CodedError('E_STATE_DIVERGED', message, {
    hint:
      `move ${directory} away (keep it for a report) and start again: the node joins its cell under a new id and gets its ` +
      `state. Did most members stop like this, then the leader was wrong: stop it, remove ${join(directory, FILE)} on the ` +
      'others, start them, and take it out with kairos members rm',
  })
}
