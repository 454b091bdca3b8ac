import type { CID } from 'multiformats/cid'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { AddEntry, AddOptions, AddRow } from '../operations.ts'
import type { BlockStore } from './blocks/index.ts'
import { checkName } from './path.ts'

type Files = ReturnType<typeof import('@helia/unixfs').unixfs>
type ImportOptions = NonNullable<Parameters<Files['addAll']>[1]>
type Candidate = { path: string; content: AsyncIterable<Uint8Array> } | { path: string }

export interface AddTarget {
  store: Pick<BlockStore, 'put'>
  signal: AbortSignal
}

/**
 * Cuts files into blocks as they stream in and yields each file when it is stored, directories at
 * the end, the root last. Modes are not kept: the profile has none.
 *
 * @throws {CodedError} E_PATH_UNSAFE, E_NAME_MISSING, E_QUOTA, E_DISK_FULL, E_STORAGE_*
 */
export async function* addEntries(
  entries: AsyncIterable<AddEntry>,
  options: AddOptions,
  target: AddTarget,
): AsyncGenerator<AddRow & { root: CID }> {
  // 3 MB that an idle node does without.
  const { unixfs } = await import('@helia/unixfs')
  const files = unixfs({ blockstore: target.store } as unknown as Parameters<typeof unixfs>[0])
  for await (const result of files.addAll(candidates(entries, options, target.signal), importOptions(options))) {
    const isDirectory = result.unixfs?.isDirectory() === true
    const size = isDirectory ? 0 : Number(result.unixfs?.fileSize() ?? result.size)
    yield { path: result.path ?? '', cid: result.cid.toString(), size, root: result.cid }
  }
}

/** CIDs equal to `ipfs add` under the profile unixfs-v1-2025 (IPIP-499). */
function importOptions(options: AddOptions): ImportOptions {
  return {
    profile: 'unixfs-v1-2025',
    wrapWithDirectory: options.wrapWithDirectory,
    // The content of an entry is read to its end before the next comes: both are parts of one stream.
    fileImportConcurrency: 1,
    blockWriteConcurrency: 4,
  }
}

async function* candidates(
  entries: AsyncIterable<AddEntry>,
  options: AddOptions,
  signal: AbortSignal,
): AsyncGenerator<Candidate> {
  for await (const { path, content } of entries) {
    signal.throwIfAborted()
    if (path !== '') for (const name of path.split('/')) checkName(name)
    else if (options.wrapWithDirectory) throw nameMissing()
    yield content === undefined ? { path } : { path, content: abortable(content, signal) }
  }
}

async function* abortable(content: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    signal.throwIfAborted()
    yield chunk
  }
}

function nameMissing(): CodedError {
  return new CodedError('E_NAME_MISSING', 'a stream without a name cannot be an entry of a directory', {
    hint: 'leave out -w, or write the stream to a file first',
  })
}
