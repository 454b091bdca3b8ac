import { CID } from 'multiformats/cid'
import { CodedError } from '../../protocols/shared/errors.ts'

export interface ContentPath {
  root: CID
  /** Names below the root, empty for the root itself. */
  segments: string[]
}

/**
 * Reads `CID[/a/b]`, with or without the `/ipfs/` that other tools print before it.
 *
 * @throws {CodedError} E_CID_INVALID
 */
export function parsePath(text: string): ContentPath {
  const [first, ...segments] = text.replace(/^\/?ipfs\//, '').split('/')
  try {
    return { root: CID.parse(first ?? ''), segments: segments.filter((segment) => segment !== '') }
  } catch (cause) {
    throw new CodedError('E_CID_INVALID', `"${first ?? ''}" is not a CID`, {
      hint: 'give CID or CID/path/in/it, as `kairos add` and `kairos ls` print them',
      cause,
    })
  }
}

/**
 * A name that is one step down in a file system and nothing else. The author of a directory
 * chooses its names: `..` or `a/../../b` would write outside the place that a user named.
 *
 * @throws {CodedError} E_PATH_UNSAFE
 */
export function checkName(name: string): string {
  // A backslash separates on some systems, and the importer takes one before a slash for an escape.
  if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) {
    throw new CodedError('E_PATH_UNSAFE', `${JSON.stringify(name)} is not a usable file name`, {
      hint: 'fetch the other entries by their own paths, or the whole as an archive with --car',
    })
  }
  return name
}
