import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError } from '../../protocols/shared/errors.ts'
import { openDatabase, type Database } from '../storage/database.ts'
import { storageError } from '../storage/storage-error.ts'
import { SnapshotBlocks } from './block-store.ts'
import { refuseDiverged } from './halt.ts'
import { DurableLog, type LogInit, type LogOwner } from './log.ts'
import { corruptLog } from './log-records.ts'
import { StateStore } from './state-store.ts'

export interface CellStoresInit extends LogOwner {
  /** `<store>/cell`; three databases in it, so that damage of one is not damage of all */
  directory: string
  /** Called once when the disk failed or the log is damaged: stop the cell, nothing is tried again. */
  onFatal: (error: CodedError) => void
  onFlush?: NonNullable<LogInit['onFlush']>
}

export interface CellStores {
  readonly log: DurableLog
  readonly blocks: SnapshotBlocks
  readonly state: StateStore
  /** Why a mirror was put aside and begun empty: snapshot blocks, or the state (install the snapshot when it is ahead). */
  readonly renewed: readonly CodedError[]
  /** Waits for accepted writes. Idempotent. */
  close(): Promise<void>
}

/**
 * @throws {CodedError} E_CELL_LOG_CORRUPT, E_CELL_LOG_FOREIGN, E_STATE_DIVERGED, E_DATA_VERSION, E_LOCKED, E_DISK_FULL,
 *   E_STORAGE_UNWRITABLE, E_STORAGE_IO
 */
export async function openCellStores(init: CellStoresInit): Promise<CellStores> {
  await refuseDiverged(init.directory)
  const opened: Database[] = []
  const renewed: CodedError[] = []
  // Until all is open, a failure is thrown and nobody is left to stop.
  let listening = false
  const fatal = (error: CodedError) => {
    if (listening) init.onFatal(error)
    listening = false
  }
  const close = async () => {
    for (const database of opened.splice(0).reverse()) await database.close()
  }
  try {
    const log = await openLog(init, opened, fatal)
    const mirror = <T>(name: string, open: (database: Database) => Promise<T>) =>
      openMirror({ init, name, opened, renewed, fatal }, open)
    const blocks = await mirror('blocks', async (database) => {
      const blocks = new SnapshotBlocks(database)
      await blocks.bind(log.incarnation)
      await blocks.snapshots()
      return blocks
    })
    const state = await mirror('state', async (database) => {
      const state = await StateStore.open(database, log.incarnation)
      // All of it is read here, where damage of any of it begins an empty one.
      await state.prove()
      return state
    })
    listening = true
    const finish = async () => {
      // Refused when the disk has failed or all is closed: then there is nothing to finish.
      await log.finish().catch(() => undefined)
      await close()
    }
    return { log, blocks, state, renewed, close: finish }
  } catch (error) {
    await close()
    throw error
  }
}

async function openLog(init: CellStoresInit, opened: Database[], fatal: (error: CodedError) => void) {
  const onFatal = (error: CodedError) => fatal(asLogError(error))
  try {
    const database = await openDatabase(join(init.directory, 'log'), { onFatal })
    opened.push(database)
    return await DurableLog.open({ ...init, database })
  } catch (error) {
    throw asLogError(error as CodedError)
  }
}

interface MirrorInit {
  init: CellStoresInit
  name: string
  opened: Database[]
  renewed: CodedError[]
  fatal: (error: CodedError) => void
}

/** Damage of a mirror is no loss: it is put aside for who wants to look at it, and an empty one begun. */
async function openMirror<T>(mirror: MirrorInit, open: (database: Database) => Promise<T>): Promise<T> {
  const directory = join(mirror.init.directory, mirror.name)
  try {
    return await openOnce(directory, mirror, open)
  } catch (error) {
    if (!isDamage(error)) throw error
    mirror.renewed.push(error)
    await putAside(directory)
    return openOnce(directory, mirror, open)
  }
}

async function openOnce<T>(directory: string, mirror: MirrorInit, open: (database: Database) => Promise<T>) {
  const onFatal = (error: CodedError) => void (isDamage(error) || mirror.fatal(error))
  const database = await openDatabase(directory, { onFatal })
  try {
    const store = await open(database)
    mirror.opened.push(database)
    return store
  } catch (error) {
    await database.close()
    throw error
  }
}

async function putAside(directory: string): Promise<void> {
  const aside = `${directory}.damaged`
  try {
    await rm(aside, { recursive: true, force: true })
    await rename(directory, aside)
  } catch (error) {
    throw storageError(error, directory)
  }
}

const DAMAGE = new Set(['E_STORAGE_CORRUPT', 'E_CELL_STATE_CORRUPT', 'E_CELL_BLOCK_CORRUPT', 'E_FRAME_MALFORMED'])

function isDamage(error: unknown): error is CodedError {
  return error instanceof CodedError && DAMAGE.has(error.code)
}

/** The database advises to restore a backup, which for a Raft log would mean to vote twice. */
function asLogError(error: CodedError): CodedError {
  return error.code === 'E_STORAGE_CORRUPT' ? corruptLog(error.message, error) : error
}
