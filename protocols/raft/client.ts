import type { PeerId, Stream } from '@libp2p/interface'
import { ask } from '../shared/ask.ts'
import { CodedError } from '../shared/errors.ts'
import { answerCodec, openingCodec, type Answer, type JoinAnswer, type Opening } from './codec.ts'
import { MAX_ANSWER_BYTES, MAX_BLOCKS_BYTES, MAX_CIDS, REQUEST_TIMEOUT_MS } from './constants.ts'

/** On the connection that there is, or on a new one. */
export type OpenStream = (peer: PeerId, signal: AbortSignal) => Promise<Stream>

export interface RequestOptions {
  signal: AbortSignal
  /** For dialling, asking and the whole answer; default 30 000. */
  timeoutMs?: number
}

/**
 * Asks a member to let this node into its cell.
 *
 * @param incarnation - 16 random bytes, stored durably with the log before they are sent
 * @returns the cell's ids, or the member's refusal
 * @throws {CodedError} E_PEER_UNREACHABLE, E_RAFT_PROTOCOL, E_TIMEOUT, E_ABORTED, E_FRAME_*
 */
export async function requestJoin(
  open: OpenStream,
  peer: PeerId,
  incarnation: Uint8Array,
  options: RequestOptions,
): Promise<JoinAnswer> {
  const answers = request(open, peer, { type: 'join', incarnation }, options)
  for await (const answer of answers) {
    if (answer.type === 'joined' || answer.type === 'refused') return answer
    break
  }
  throw new CodedError('E_RAFT_PROTOCOL', 'no answer to a request to join')
}

/**
 * Asks a member for blocks, unchecked yet.
 *
 * @param cids - 1 to 64
 * @returns for the first ones of `cids`, at least one: the block, or undefined where the member has none
 * @throws {CodedError} as {@link requestJoin}, or the code of the member's refusal
 */
export async function requestBlocks(
  open: OpenStream,
  peer: PeerId,
  cids: readonly Uint8Array[],
  options: RequestOptions,
): Promise<(Uint8Array | undefined)[]> {
  if (cids.length === 0 || cids.length > MAX_CIDS) throw new RangeError(`1 to ${MAX_CIDS} CIDs, not ${cids.length}`)
  const blocks: (Uint8Array | undefined)[] = []
  let total = 0
  for await (const answer of request(open, peer, { type: 'blocks', cids: [...cids] }, options)) {
    if (answer.type === 'refused') throw new CodedError(answer.code, answer.message)
    if (answer.type === 'end' && blocks.length > 0) return blocks
    if (answer.type === 'missing') blocks.push(undefined)
    else if (answer.type === 'block') total += blocks[blocks.push(answer.bytes) - 1]?.byteLength ?? 0
    else break
    if (blocks.length > cids.length || total > MAX_BLOCKS_BYTES) break
  }
  throw new CodedError('E_RAFT_PROTOCOL', 'an answer that is not what was asked for')
}

async function* request(
  open: OpenStream,
  peer: PeerId,
  opening: Opening,
  options: RequestOptions,
): AsyncGenerator<Answer> {
  const frames = ask((signal) => open(peer, signal), openingCodec.encode(opening), {
    signal: options.signal,
    timeoutMs: options.timeoutMs ?? REQUEST_TIMEOUT_MS,
    maxFrameBytes: MAX_ANSWER_BYTES,
    brokenCode: 'E_RAFT_PROTOCOL',
  })
  for await (const frame of frames) yield answerCodec.decode(frame)
}
