import { z } from 'zod'
import { defineCodec } from '../shared/codec.ts'
import { bytes, refused } from '../shared/fields.ts'
import {
  INCARNATION_BYTES,
  MAX_ANSWER_BYTES,
  MAX_BLOCK_BYTES,
  MAX_CID_BYTES,
  MAX_CIDS,
  MAX_FRAME_BYTES,
  MAX_MEMBERS,
  MAX_MESSAGE_BYTES,
  MAX_OPENING_BYTES,
} from './constants.ts'

const raftId = z.int().min(1)
const ids = z.array(raftId).max(MAX_MEMBERS)
const peerId = z.string().min(1).max(128)

const opening = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('messages'), lane: z.enum(['urgent', 'bulk']) }),
  z.strictObject({ type: z.literal('join'), incarnation: bytes(INCARNATION_BYTES) }),
  z.strictObject({ type: z.literal('blocks'), cids: z.array(bytes(4, MAX_CID_BYTES)).min(1).max(MAX_CIDS) }),
])

const message = z.strictObject({
  type: z.literal('message'),
  from: raftId,
  to: raftId,
  /** the engine's own, opaque here */
  bytes: bytes(0, MAX_MESSAGE_BYTES),
  snapshot: z
    .strictObject({
      index: z.int().min(1),
      term: z.int().min(1),
      configuration: z.strictObject({ voters: ids, learners: ids, votersOutgoing: ids, learnersNext: ids }),
      root: bytes(4, MAX_CID_BYTES),
    })
    .optional(),
})

/** What became of an offered snapshot. */
const report = z.strictObject({
  type: z.literal('report'),
  from: raftId,
  to: raftId,
  index: z.int().min(1),
  ok: z.boolean(),
})

const joined = z.strictObject({
  type: z.literal('joined'),
  raftId,
  members: z.array(z.strictObject({ raftId, peerId })).max(MAX_MEMBERS),
  leader: raftId.optional(),
})

const answer = z.discriminatedUnion('type', [
  joined,
  refused,
  z.strictObject({ type: z.literal('block'), bytes: bytes(0, MAX_BLOCK_BYTES) }),
  z.strictObject({ type: z.literal('missing') }),
  z.strictObject({ type: z.literal('end') }),
])

export type Opening = z.infer<typeof opening>
export type LaneName = Extract<Opening, { type: 'messages' }>['lane']
export type RaftMessage = z.infer<typeof message>
export type SnapshotReport = z.infer<typeof report>
export type RaftFrame = RaftMessage | SnapshotReport
export type Answer = z.infer<typeof answer>
/** A member's word on a request to join: the ids of the cell, or why not. */
export type JoinAnswer = z.infer<typeof joined> | z.infer<typeof refused>

export const openingCodec = defineCodec<Opening>('raft opening', MAX_OPENING_BYTES, opening)
export const messageCodec = defineCodec<RaftFrame>(
  'raft message',
  MAX_FRAME_BYTES,
  z.discriminatedUnion('type', [message, report]),
)
export const answerCodec = defineCodec<Answer>('raft answer', MAX_ANSWER_BYTES, answer)

export const raftCodecs = [openingCodec, messageCodec, answerCodec] as const
