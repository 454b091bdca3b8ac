import { BLOCK_BYTES, encodeHeader, paddingOf, tarError } from './header.ts'

export interface TarEntry {
  path: string
  type: 'file' | 'directory'
  /** Bytes of a file; what `content` yields must be as long. */
  size: number
  content?: AsyncIterable<Uint8Array>
}

/**
 * Streams an archive.
 *
 * @throws {CodedError} E_TAR when a file is longer or shorter than its size, as one that changes
 *   while it is read
 */
export async function* writeTar(entries: AsyncIterable<TarEntry>): AsyncIterable<Uint8Array> {
  for await (const { path, type, size, content } of entries) {
    if (type === 'directory') {
      yield* encodeHeader(`${path}/`, '5', 0)
      continue
    }
    yield* encodeHeader(path, '0', size)
    let written = 0
    for await (const chunk of content ?? []) {
      written += chunk.length
      if (written > size) break
      yield chunk
    }
    if (written !== size) throw tarError(`${path} has not the ${size} bytes that it had when it was listed`)
    if (paddingOf(size) > 0) yield new Uint8Array(paddingOf(size))
  }
  yield new Uint8Array(2 * BLOCK_BYTES)
}
