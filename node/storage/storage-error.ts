import { CodedError, messageOf } from '../../protocols/shared/errors.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT'])
const UNWRITABLE = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
  'ENOENT',
  'ELOOP',
  'ENAMETOOLONG',
])

/** A damaged store is never repaired by us. */
export const RESTORE_HINT =
  'nothing was changed; restore the directory from a backup, or move it away and let the mesh fill a new one'

/**
 * Turns a failure of the file system into what an operator can act on.
 *
 * @param configKey - the configuration key that names the place, when there is one
 * @returns E_DISK_FULL, E_STORAGE_UNWRITABLE or E_STORAGE_IO; a CodedError as it is
 */
export function storageError(cause: unknown, path: string, configKey?: string): CodedError {
  if (cause instanceof CodedError) return cause
  const errno = (cause as NodeJS.ErrnoException | undefined)?.code ?? ''
  const place = configKey === undefined ? '--path or KAIROS_PATH' : `${configKey} in the configuration`
  if (FULL.has(errno)) {
    const hint = `free some space, or choose another place with ${place}`
    return new CodedError('E_DISK_FULL', `no space left for ${path}`, { hint, cause })
  }
  if (UNWRITABLE.has(errno)) {
    const hint = `make it writable for this user, or choose another place with ${place}`
    return new CodedError('E_STORAGE_UNWRITABLE', `cannot use ${path} (${errno})`, { hint, cause })
  }
  return new CodedError('E_STORAGE_IO', `input/output error at ${path}: ${messageOf(cause)}`, {
    hint: 'check the disk and the system log',
    cause,
  })
}

/** @returns whether `error` says that there is no such file */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
}
