import { join } from 'node:path'
import { CodedError } from '../../protocols/shared/errors.ts'
import { openDatabase, type Database } from '../storage/database.ts'
import { ChainStore, type ChainInit } from './chain.ts'
import { damagedChain } from './chain-head.ts'
import type { StoreOwner } from './store-head.ts'
import { damagedWal, MeshWal } from './wal.ts'

/** Blocks are read once and handed on: a large cache of them would only be memory. */
const LEVEL = { cacheSize: 1_048_576, writeBufferSize: 2_097_152 }

export interface MeshStoresInit extends StoreOwner {
  /** `mesh` beside the node's database; two databases in it, so that damage of one is not damage of both */
  directory: string
  keep: ChainInit['keep']
  trim: ChainInit['trim']
  /** Whether this node may ever vote: then it has a log of what it says. */
  isValidator: boolean
  /** Of a log that is made anew beside these epochs: as `firstVote` of {@link MeshWal.open}. */
  firstVote: (chain: ChainStore) => Promise<number>
  /** Called once when the disk failed: stop the node, nothing is tried again. */
  onFatal: (error: CodedError) => void
}

export interface MeshStores {
  readonly chain: ChainStore
  readonly wal: MeshWal | undefined
  /** Waits for accepted writes. Idempotent. */
  close(): Promise<void>
}

/**
 * @throws {CodedError} E_MESH_WAL_DAMAGED, E_MESH_STORE_DAMAGED, E_MESH_STORE_FOREIGN, E_DATA_VERSION, E_LOCKED,
 *   E_DISK_FULL, E_STORAGE_UNWRITABLE, E_STORAGE_IO
 */
export async function openMeshStores(init: MeshStoresInit): Promise<MeshStores> {
  const { directory, meshId, peerId, keep, trim } = init
  const opened: Database[] = []
  // Until all is open, a failure is thrown and nobody is left to stop.
  let isListening = false
  const open = async <T>(name: string, damaged: Damaged, use: (database: Database) => Promise<T>): Promise<T> => {
    const onFatal = (error: CodedError): void => void (isListening && init.onFatal(asDamaged(error, damaged)))
    try {
      const database = await openDatabase(join(directory, name), { onFatal, level: LEVEL })
      opened.push(database)
      return await use(database)
    } catch (error) {
      throw asDamaged(error as CodedError, damaged)
    }
  }
  const close = async (): Promise<void> => {
    for (const database of opened.splice(0).reverse()) await database.close()
  }
  try {
    const owner = { meshId, peerId }
    const chain = await open('chain', damagedChain, (database) => ChainStore.open({ ...owner, database, keep, trim }))
    const firstVote = () => init.firstVote(chain)
    const wal = init.isValidator
      ? await open('wal', damagedWal, (database) => MeshWal.open({ ...owner, database, firstVote }))
      : undefined
    isListening = true
    return {
      wal,
      chain,
      async close() {
        // Refused when the disk has failed or all is closed: then there is nothing to finish.
        await Promise.all([wal?.finish(), chain.finish()]).catch(() => undefined)
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

type Damaged = (what: string, cause?: unknown) => CodedError

/** The database advises to restore a backup, which here would mean to vote twice. */
function asDamaged(error: CodedError, damaged: Damaged): CodedError {
  return error.code === 'E_STORAGE_CORRUPT' ? damaged(error.message, error) : error
}
