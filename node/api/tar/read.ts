import { BLOCK_BYTES, decodeHeader, decodePax, MAX_NAME_BYTES, paddingOf, tarError, text } from './header.ts'
import type { TarEntry } from './write.ts'

/**
 * Reads an archive as a stream: each file's content must be read before the next entry is asked
 * for; what is left of it is skipped. Paths come out relative and clean.
 *
 * @throws {CodedError} E_TAR for a damaged archive, a path that leads out of it, or an entry that
 *   is neither file nor directory
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncIterable<TarEntry> {
  const input = new Blocks(source)
  let extended: { path?: string; size?: number } = {}
  for (;;) {
    const bytes = await input.take(BLOCK_BYTES)
    const header = decodeHeader(bytes)
    if (header === undefined) return
    if (header.type === 'x' || header.type === 'L' || header.type === 'g') {
      const record = await readRecord(input, header.size)
      if (header.type === 'x') Object.assign(extended, decodePax(record))
      if (header.type === 'L') extended.path = text(record)
      continue
    }
    const { path, size, type } = { ...header, ...extended }
    extended = {}
    yield* entryOf(input, cleanPath(path), type, size)
  }
}

async function* entryOf(input: Blocks, path: string, type: string, size: number): AsyncIterable<TarEntry> {
  if (type === '5') {
    if (path !== '') yield { path, type: 'directory', size: 0 }
  } else if (type === '0' || type === '7') {
    const content = input.stream(size)
    yield { path, type: 'file', size, content }
    for await (const _ of content) continue
    await input.take(paddingOf(size))
  } else throw tarError(`${path} is neither a file nor a directory`)
}

async function readRecord(input: Blocks, size: number): Promise<Uint8Array> {
  if (size > MAX_NAME_BYTES) throw tarError(`a name record is longer than ${MAX_NAME_BYTES} bytes`)
  const record = await input.take(size)
  await input.take(paddingOf(size))
  return record
}

/**
 * @returns `a/b` for `./a//b/`
 * @throws {CodedError} E_TAR for an absolute path, `..`, a backslash or a NUL
 */
export function cleanPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (path.startsWith('/') || /[\\\0]/.test(path) || parts.includes('..'))
    throw tarError(`the path ${JSON.stringify(path.slice(0, 200))} leads out of the archive`)
  return parts.join('/')
}

/** Cuts a stream of chunks where the format wants it, without joining what it need not. */
class Blocks {
  readonly #source: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** @returns exactly `count` bytes */
  async take(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count)
    let filled = 0
    for await (const chunk of this.stream(count)) {
      bytes.set(chunk, filled)
      filled += chunk.length
    }
    return bytes
  }

  /** Yields exactly `count` bytes, once: a second walk goes on where the first one stopped. */
  stream(count: number): AsyncIterable<Uint8Array> {
    let left = count
    const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      if (left === 0) return { done: true, value: undefined }
      const value = await this.#some(left)
      left -= value.length
      return { done: false, value }
    }
    return { [Symbol.asyncIterator]: () => ({ next }) }
  }

  async #some(most: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#source.next()
      if (done === true) throw tarError('the archive ends too early')
      this.#rest = value
    }
    const some = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(some.length)
    return some
  }
}
