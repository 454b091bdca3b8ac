import type { GossipSub, GossipSubComponents, Message, TopicValidatorFn } from '@libp2p/gossipsub'
import { gossipsub, StrictSign, TopicValidatorResult } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { ACCEPT, ignore, reject, type Verdict } from '../../protocols/shared/verdict.ts'
import { AuthorBudget } from './author-budget.ts'
import { AddressRangeSet, type AddressRanges } from './address-range.ts'
import type { ReplayWindow } from './replay-window.ts'
import type { GossipMessage, TopicSpec } from './types.ts'

/** gossipsub's own memory of messages. */
const SEEN_TTL_MS = 120_000
/** gossipsub's sequence numbers are its process's clock at start, in nanoseconds, counted up. */
const NS_PER_MS = 1_000_000n
const MAX_AHEAD_MS = 60_000
/** A peer below this is cut off and banned by the watchdog. */
export const GRAYLIST_THRESHOLD = -80
/** Squared by gossipsub: three invalid messages are −90. */
export const INVALID_MESSAGE_WEIGHT = -10

const TOPIC_SCORE = {
  topicWeight: 1,
  timeInMeshWeight: 0.01,
  timeInMeshQuantum: 1000,
  timeInMeshCap: 3600,
  firstMessageDeliveriesWeight: 1,
  firstMessageDeliveriesDecay: 0.9,
  firstMessageDeliveriesCap: 50,
  // P3 is off: its default sinks honest peers on quiet topics.
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.9,
  meshMessageDeliveriesThreshold: 1,
  meshMessageDeliveriesCap: 10,
  meshMessageDeliveriesActivation: 5000,
  meshMessageDeliveriesWindow: 100,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.9,
  invalidMessageDeliveriesWeight: INVALID_MESSAGE_WEIGHT,
  invalidMessageDeliveriesDecay: 0.97,
}

export interface GossipInit {
  topics: TopicSpec[]
  trusted: AddressRanges
  /** From the ledger: what a peer lost before this connection. */
  score(peerId: string): number
}

export function gossipService(init: GossipInit): (components: GossipSubComponents) => GossipSub {
  return gossipsub({
    globalSignaturePolicy: StrictSign,
    fallbackToFloodsub: false,
    allowPublishToZeroTopicPeers: true,
    allowedTopics: init.topics.map(({ topic }) => topic),
    // A light node behind a relay hears and says as much as any other.
    runOnLimitedConnection: true,
    maxInboundDataLength: 262_144,
    decodeRpcLimits: {
      maxSubscriptions: 128,
      maxMessages: 256,
      maxIhaveMessageIDs: 2000,
      maxIwantMessageIDs: 2000,
      maxIdontwantMessageIDs: 512,
      maxControlMessages: 64,
      maxPeerInfos: 16,
    },
    maxTopicBytesPerPeer: 131_072,
    // Two: the old stream may still be closing when the new one opens.
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
    maxOutboundBufferSize: 4_194_304,
    // Without it a signature is verified before a duplicate is seen as one (F9).
    fastMsgIdFn: ({ from, seqno }) => `${latin1(from)}${latin1(seqno)}`,
    awaitRpcHandler: true,
    awaitRpcMessageHandler: true,
    floodPublish: false,
    batchPublish: true,
    doPX: false,
    seenTTL: SEEN_TTL_MS,
    D: 8,
    Dlo: 6,
    Dhi: 12,
    Dscore: 4,
    Dout: 3,
    Dlazy: 6,
    gossipFactor: 0.25,
    scoreThresholds: {
      gossipThreshold: -10,
      publishThreshold: -50,
      graylistThreshold: GRAYLIST_THRESHOLD,
      acceptPXThreshold: 10,
      opportunisticGraftThreshold: 5,
    },
    scoreParams: {
      // An unscored topic makes invalid messages free (F6).
      topics: Object.fromEntries(init.topics.map(({ topic }) => [topic, TOPIC_SCORE])),
      topicScoreCap: 10,
      appSpecificScore: init.score,
      appSpecificWeight: 1,
      IPColocationFactorWeight: -5,
      IPColocationFactorThreshold: 10,
      // A mesh on one machine or behind one NAT would graylist itself (F8).
      IPColocationFactorWhitelist: new AddressRangeSet(init.trusted),
      behaviourPenaltyWeight: -10,
      behaviourPenaltyThreshold: 2,
      behaviourPenaltyDecay: 0.9,
      decayInterval: 1000,
      decayToZero: 0.01,
      retainScore: 3_600_000,
    },
  })
}

function latin1(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

export interface ValidatorInit {
  self: PeerId
  replay: ReplayWindow
  now(): number
  startedMs: number
  onVerdict?: ((topic: string, verdict: Verdict) => void) | undefined
  /** Told of each message by which its author, who brought it itself, is far over its budget. */
  onFlood?: (author: string) => void
}

/** Budget, then replay, then what the topic itself says; the verdict is what gossipsub scores. */
export function topicValidator(spec: TopicSpec, init: ValidatorInit): TopicValidatorFn {
  const budget = new AuthorBudget(spec.budget)
  return (carrier, message) => {
    if (message.type !== 'signed') return TopicValidatorResult.Reject
    const verdict = judge(message, carrier)
    init.onVerdict?.(spec.topic, verdict)
    if (verdict.kind === 'accept') spec.deliver(gossipMessage(message, carrier))
    // gossipsub holds what is rejected against all who pass it on, and it was within budget for some: they are honest.
    if (verdict.kind === 'reject' && verdict.code === 'E_GOSSIP_FLOOD') return TopicValidatorResult.Ignore
    return RESULTS[verdict.kind]
  }

  function judge(message: Message & { type: 'signed' }, carrier: PeerId): Verdict {
    const author = message.from.toString()
    if (message.from.equals(init.self)) return selfOrigin(init)
    // A number from a clock that was far ahead would shut its author out until everybody's clock is there.
    if (message.sequenceNumber > BigInt(init.now() + MAX_AHEAD_MS) * NS_PER_MS) return ignore('E_GOSSIP_FUTURE')
    const within = budget.spend(author, carrier.toString(), init.now())
    if (within.kind === 'reject') init.onFlood?.(author)
    if (within.kind !== 'accept') return within
    const verdict = spec.validate(gossipMessage(message, carrier))
    if (verdict.kind !== 'accept') return verdict
    return init.replay.accept(author, message.sequenceNumber) ? ACCEPT : ignore('E_GOSSIP_REPLAY')
  }
}

const RESULTS = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

function gossipMessage(message: Message & { type: 'signed' }, carrier: PeerId): GossipMessage {
  return { topic: message.topic, data: message.data, author: message.from, carrier }
}

/**
 * What this process sent, gossipsub takes for a duplicate. So this is our key's, but not our doing: right
 * after a restart peers may still hand us what we said before; later nobody honest does.
 */
function selfOrigin(init: ValidatorInit): Verdict {
  return init.now() - init.startedMs < SEEN_TTL_MS ? ignore('E_GOSSIP_SELF') : reject('E_GOSSIP_SELF')
}
