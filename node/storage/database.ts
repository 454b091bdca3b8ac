import { ClassicLevel, type OpenOptions } from 'classic-level'
import { CodedError, messageOf } from '../../protocols/shared/errors.ts'
import { ensureDirectory } from './files.ts'
import { GroupCommit, type Commit } from './group-commit.ts'
import { checkFiles } from './log-check.ts'
import { RESTORE_HINT, storageError } from './storage-error.ts'
import { LevelBackedSublevel, openLevelSublevel, type Level, type LevelOperation } from './sublevel.ts'
import type { Sublevel, SublevelOptions, Write, WriteOptions } from './sublevel.ts'

/** Version of the data layout. A newer store is refused, an older one is migrated, none is ever downgraded. */
export const DATA_VERSION = 1
const META = 'kairos-meta'
const VERSION_KEY = 'version'

/** The node's one database: durable unless told otherwise, checked on every read. */
export interface Database {
  /** The same object for the same name; options count at the first call. */
  sublevel(name: string, options?: SublevelOptions): Sublevel
  /** One atomic batch over several sublevels. */
  batch(parts: { sublevel: Sublevel; writes: Write[] }[], options?: WriteOptions): Promise<void>
  /** Waits for accepted writes. Idempotent. */
  close(): Promise<void>
}

/** LevelDB maps each open table of 2 MiB into memory; of its own 1000, those of a large database would be most of it. */
const MAX_OPEN_FILES = 64

export interface DatabaseOptions {
  /** Called once when the store can no longer be trusted (a failed write or fsync, a corrupt read): stop the node. */
  onFatal: (error: CodedError) => void
  /** Configuration key that names the directory, for hints. */
  configKey?: string
  /** LevelDB's own, where they differ from its defaults. */
  level?: Pick<OpenOptions, 'cacheSize' | 'compression' | 'maxOpenFiles' | 'writeBufferSize'>
}

/**
 * Opens the database, making it where there is none. Never repairs.
 *
 * @throws {CodedError} E_STORAGE_CORRUPT, E_DATA_VERSION, E_LOCKED, E_STORAGE_UNWRITABLE,
 *   E_MODE_TOO_WIDE, E_DISK_FULL
 */
export async function openDatabase(directory: string, options: DatabaseOptions): Promise<Database> {
  await ensureDirectory(directory, options.configKey)
  await checkFiles(directory)
  const level: Level = new ClassicLevel(directory, {
    maxOpenFiles: MAX_OPEN_FILES,
    ...options.level,
    keyEncoding: 'view',
    valueEncoding: 'view',
  })
  const explain = (error: unknown) => levelError(error, directory, options.configKey)
  let opened = false
  // Until it is open, a failure is thrown and nobody is left to stop.
  const onFatal = (error: CodedError) => void (opened && options.onFatal(error))
  try {
    await level.open()
    const database = new LevelDatabase(level, { explain, onFatal })
    await checkVersion(level, database, directory)
    opened = true
    return database
  } catch (error) {
    await level.close()
    throw explain(error)
  }
}

interface Failures {
  explain: (error: unknown) => CodedError
  onFatal: (error: CodedError) => void
}

class LevelDatabase implements Database {
  readonly #level: Level
  readonly #failures: Failures
  readonly #group: GroupCommit<LevelOperation>
  readonly #sublevels = new Map<string, LevelBackedSublevel>()
  #failed = false

  constructor(level: Level, failures: Failures) {
    this.#level = level
    this.#failures = failures
    this.#group = new GroupCommit(
      (operations, sync) => this.#write(operations, sync),
      (error) => this.#fail(failures.explain(error)),
    )
  }

  sublevel(name: string, options?: SublevelOptions): Sublevel {
    return this.#open(name, options)
  }

  async batch(parts: { sublevel: Sublevel; writes: Write[] }[], options?: WriteOptions): Promise<void> {
    const prepared = parts.map(({ sublevel, writes }) => this.#open(sublevel.name).prepare(writes, options))
    await this.#group.commit({
      operations: prepared.flatMap(({ operations }) => operations),
      bytes: prepared.reduce((sum, { bytes }) => sum + bytes, 0),
      sync: options?.sync ?? true,
    })
  }

  async close(): Promise<void> {
    await this.#group.close()
    await this.#level.close()
  }

  #open(name: string, options?: SublevelOptions): LevelBackedSublevel {
    const known = this.#sublevels.get(name)
    if (known !== undefined) return known
    const host = {
      commit: (commit: Commit<LevelOperation>) => this.#group.commit(commit),
      readFailed: (error: unknown) => this.#readFailed(error),
      explain: this.#failures.explain,
    }
    const opened = new LevelBackedSublevel(name, openLevelSublevel(this.#level, name), host, options)
    this.#sublevels.set(name, opened)
    return opened
  }

  async #write(operations: LevelOperation[], sync: boolean): Promise<void> {
    try {
      await this.#level.batch(operations, { sync })
    } catch (error) {
      throw this.#failures.explain(error)
    }
  }

  #readFailed(error: unknown): CodedError {
    const explained = this.#failures.explain(error)
    if (explained.code === 'E_STORAGE_CORRUPT' || explained.code === 'E_STORAGE_IO') this.#fail(explained)
    return explained
  }

  #fail(error: CodedError): void {
    if (this.#failed) return
    this.#failed = true
    this.#failures.onFatal(error)
  }
}

async function checkVersion(level: Level, database: Database, directory: string): Promise<void> {
  const meta = database.sublevel(META)
  const stored = await meta.get(VERSION_KEY)
  if (stored === undefined) {
    if ((await level.keys({ limit: 1 }).all()).length > 0) throw corrupt(directory, 'it is not a store of Kairos')
    return meta.put(VERSION_KEY, Buffer.from(String(DATA_VERSION)))
  }
  const version = Number(Buffer.from(stored).toString())
  if (!Number.isInteger(version) || version < 1) throw corrupt(directory, 'its version record is not a number')
  if (version > DATA_VERSION) {
    throw new CodedError(
      'E_DATA_VERSION',
      `${directory} was written by a newer release (data version ${version}, this one reads up to ${DATA_VERSION})`,
      { hint: 'install that release again; data is never downgraded' },
    )
  }
}

function corrupt(directory: string, why: string, cause?: unknown): CodedError {
  return new CodedError('E_STORAGE_CORRUPT', `the database in ${directory} is corrupt: ${why}`, {
    hint: RESTORE_HINT,
    cause,
  })
}

/** LevelDB gives the system's text, not its number. */
const ERRNO_BY_TEXT: [text: string, errno: string][] = [
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['Permission denied', 'EACCES'],
  ['Read-only file system', 'EROFS'],
]

/** LevelDB's own errors; opening wraps the reason in `cause`. */
function levelError(error: unknown, directory: string, configKey?: string): CodedError {
  if (error instanceof CodedError) return error
  const { code, cause } = error as { code?: string; cause?: unknown }
  if (code === 'LEVEL_DATABASE_NOT_OPEN' && cause !== undefined) return levelError(cause, directory, configKey)
  if (code === 'LEVEL_DATABASE_NOT_OPEN' || code === 'LEVEL_ITERATOR_NOT_OPEN') {
    return new CodedError('E_STORAGE_CLOSED', 'the database is closed', { cause: error })
  }
  if (code === 'LEVEL_LOCKED') {
    return new CodedError('E_LOCKED', `another process has opened ${directory}`, {
      hint: 'stop the other node, or choose another directory with --path',
      cause: error,
    })
  }
  if (code === 'LEVEL_CORRUPTION') return corrupt(directory, messageOf(error), error)
  const errno = ERRNO_BY_TEXT.find(([text]) => messageOf(error).includes(text))?.[1]
  return storageError(errno === undefined ? error : { code: errno }, directory, configKey)
}
