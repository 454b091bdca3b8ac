import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryDatastore } from 'datastore-core'
import { createContent, type Content, type ContentInit } from '../../node/content/index.ts'
import type { AddRow } from '../../node/operations.ts'
import { MemorySublevel } from './memory-sublevel.ts'
import { startLibp2p, type TestLibp2p, type TestLibp2pOptions } from './libp2p-pair.ts'

export interface ContentNode {
  libp2p: TestLibp2p
  content: Content
  blocksPath: string
  stop(): Promise<void>
}

/** A libp2p node with a content service in a temporary directory. */
export async function startContentNode(
  init: Partial<ContentInit> = {},
  libp2pOptions: TestLibp2pOptions = {},
): Promise<ContentNode> {
  const libp2p = await startLibp2p(libp2pOptions)
  const blocksPath = init.blocksPath ?? (await mkdtemp(join(tmpdir(), 'kairos-blocks-')))
  const content = createContent({
    libp2p,
    datastore: new MemoryDatastore(),
    blocksPath,
    pinIndex: new MemorySublevel(),
    log: libp2p.logger,
    ...init,
    limits: { quotaBytes: 2 ** 31, blockTimeoutMs: 5000, ...init.limits },
  })
  await content.start()
  return {
    libp2p,
    content,
    blocksPath,
    async stop() {
      await content.stop()
      await libp2p.stop()
      await rm(blocksPath, { recursive: true, force: true })
    },
  }
}

export async function collectAll<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

export async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await collectAll(source))
}

export async function* stream<T>(...items: T[]): AsyncGenerator<T> {
  yield* items
}

export interface TestFile {
  path: string
  bytes?: Uint8Array
}

/** Adds files (and, without bytes, directories) and returns the rows, the root last. */
export async function addFiles(node: ContentNode, files: TestFile[], wrapWithDirectory = false): Promise<AddRow[]> {
  const entries = files.map(({ path, bytes }) => (bytes === undefined ? { path } : { path, content: stream(bytes) }))
  return collectAll(node.content.add(stream(...entries), { wrapWithDirectory }, new AbortController().signal))
}

/** The code of the error that `work` fails with; fails itself when it does not. */
export async function codeThrown(work: () => Promise<unknown>): Promise<string> {
  try {
    await work()
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  throw new Error('expected a failure')
}
