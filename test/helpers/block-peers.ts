import { randomBytes } from 'node:crypto'
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { encode as varint } from 'uint8-varint'
import { Uint8ArrayList } from 'uint8arraylist'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import {
  BLOCKS_PROTOCOL,
  BlocksClient,
  createBlocksHandler,
  requestCodec,
  type BlocksHandler,
  type BlocksHandlerInit,
} from '../../protocols/blocks/index.ts'
import type { Request } from '../../protocols/blocks/codec.ts'
import { openStream } from '../../protocols/shared/open-stream.ts'
import { connect, startLibp2p, type TestLibp2p } from './libp2p-pair.ts'

export interface TestBlock {
  cid: CID
  bytes: Uint8Array
}

export async function blockOf(bytes: Uint8Array): Promise<TestBlock> {
  return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes }
}

export function randomBlocks(count: number, size: number): Promise<TestBlock[]> {
  return Promise.all(Array.from({ length: count }, () => blockOf(randomBytes(size))))
}

export async function matches(cid: CID, bytes: Uint8Array): Promise<boolean> {
  return cid.equals(CID.createV1(cid.code, await sha256.digest(bytes)))
}

export interface BlockServer {
  libp2p: TestLibp2p
  peer: PeerId
  handler: BlocksHandler
  /** What it holds, by CID as text; also what is pushed. */
  blocks: Map<string, Uint8Array>
  /** Bytes of blocks that were loaded so far. */
  loaded(): number
  verdicts: string[]
  refusals: string[]
  leases: { held: string[]; isReleased: boolean }[]
}

/** A node that serves blocks from memory. */
export async function startBlockServer(init: Partial<BlocksHandlerInit> = {}): Promise<BlockServer> {
  const libp2p = await startLibp2p()
  const blocks = new Map<string, Uint8Array>()
  const verdicts: string[] = []
  const refusals: string[] = []
  const leases: BlockServer['leases'] = []
  let loaded = 0
  const handler = createBlocksHandler({
    libp2p,
    source: {
      sizeOf: async (cid) => blocks.get(cid.toString())?.byteLength,
      get: async (cid) => {
        const bytes = blocks.get(cid.toString())
        loaded += bytes?.byteLength ?? 0
        return bytes
      },
    },
    sink: {
      matches,
      put: async (cid, bytes) => {
        blocks.set(cid.toString(), bytes)
      },
    },
    mayPush: () => true,
    lease: () => {
      const lease = { held: [] as string[], isReleased: false }
      leases.push(lease)
      return { add: (cid) => void lease.held.push(cid.toString()), release: () => void (lease.isReleased = true) }
    },
    refused: (_peer, code) => void refusals.push(code),
    judge: (_peer, verdict) => void verdicts.push(verdict.kind === 'accept' ? '' : verdict.code),
    log: libp2p.logger.forComponent('test'),
    ...init,
  })
  await handler.start()
  return { libp2p, peer: libp2p.peerId, handler, blocks, loaded: () => loaded, verdicts, refusals, leases }
}

export interface BlockReader {
  libp2p: TestLibp2p
  client: BlocksClient
  verdicts: string[]
  open(peer: PeerId, signal: AbortSignal): Promise<Stream>
  /** A stream on which the test itself speaks. */
  stream(peer: PeerId): Promise<Stream>
}

/** A node connected to these servers, with a client. */
export async function startBlockReader(...servers: { libp2p: TestLibp2p }[]): Promise<BlockReader> {
  const libp2p = await startLibp2p()
  for (const server of servers) await connect(libp2p, server.libp2p)
  const verdicts: string[] = []
  const open = (peer: PeerId, signal: AbortSignal): Promise<Stream> =>
    openStream(libp2p, peer, BLOCKS_PROTOCOL, { signal })
  const client = new BlocksClient({
    openStream: open,
    matches,
    judge: (_peer, verdict) => void verdicts.push(verdict.kind === 'accept' ? '' : verdict.code),
  })
  return { libp2p, client, verdicts, open, stream: (peer) => open(peer, new AbortController().signal) }
}

/** Answers the blocks protocol by a function of the test. */
export async function handleRaw(
  libp2p: TestLibp2p,
  onStream: (stream: Stream, from: Connection) => void,
): Promise<void> {
  await libp2p.handle(BLOCKS_PROTOCOL, onStream)
}

export function frame(request: Request): Uint8ArrayList {
  return prefixed(...requestCodec.encode(request))
}

export function prefixed(...parts: Uint8Array[]): Uint8ArrayList {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0)
  return new Uint8ArrayList(varint(length), ...parts)
}
