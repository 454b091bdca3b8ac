import type { PeerId, Stream } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import { CodedError } from '../shared/errors.ts'
import { refusalOf } from '../shared/fields.ts'
import { writeFrame } from '../shared/frames.ts'
import { answerCodec, type Answer, type JoinAnswer } from './codec.ts'
import { MAX_BLOCK_BYTES, MAX_BLOCKS_BYTES } from './constants.ts'

/** What requests are answered from. */
export interface RequestPorts {
  /** @throws {CodedError} told to the asker as a refusal */
  join(peer: PeerId, incarnation: Uint8Array, signal: AbortSignal): Promise<JoinAnswer>
  /** @returns a block of a kept snapshot */
  block(cid: CID, signal: AbortSignal): Promise<Uint8Array | undefined>
}

export async function answerJoin(
  stream: Stream,
  peer: PeerId,
  incarnation: Uint8Array,
  ports: RequestPorts,
  signal: AbortSignal,
): Promise<void> {
  const answer = await ports.join(peer, incarnation, signal).catch(refusalOf)
  await send(stream, answer, signal)
}

/** In the order asked for, as many as fit; then `end`. */
export async function answerBlocks(
  stream: Stream,
  cids: readonly CID[],
  ports: RequestPorts,
  signal: AbortSignal,
): Promise<void> {
  let total = 0
  for (const cid of cids) {
    const bytes = await ports.block(cid, signal)
    signal.throwIfAborted()
    if (bytes !== undefined && bytes.byteLength > MAX_BLOCK_BYTES) {
      throw new CodedError('E_FRAME_TOO_LARGE', `a block of ${bytes.byteLength} bytes, the limit is ${MAX_BLOCK_BYTES}`)
    }
    total += bytes?.byteLength ?? 0
    if (total > MAX_BLOCKS_BYTES) break
    await send(stream, bytes === undefined ? { type: 'missing' } : { type: 'block', bytes }, signal)
  }
  await send(stream, { type: 'end' }, signal)
}

export function parseCid(bytes: Uint8Array): CID {
  try {
    return CID.decode(bytes)
  } catch (cause) {
    throw new CodedError('E_RAFT_PROTOCOL', 'a CID that is none', { cause })
  }
}

async function send(stream: Stream, answer: Answer, signal: AbortSignal): Promise<void> {
  await writeFrame(stream, answerCodec.encode(answer), signal)
}
