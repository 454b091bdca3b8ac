import { extensionCodec } from '../../../consensus/epoch/index.ts'
import { equalBytes } from '../../../consensus/light/bytes.ts'
import type { Application, MeshEvents, ProposedBlock, Transport } from '../../../consensus/mesh/index.ts'
import type { Life } from './life.ts'
import type { MeshNode } from './node.ts'
import type { Packet } from './packets.ts'
import type { World } from './world.ts'

/** The application as `node/mesh/validating.ts` gives it to the driver: reports that a vote names are one write with it. */
export function watched(
  { observer }: World,
  node: MeshNode,
  { application }: Life,
  onNamed: (reports: readonly Uint8Array[]) => void,
): Application {
  return {
    get height() {
      return application.height
    },
    get validators() {
      return application.validators
    },
    get isBusy() {
      return application.isBusy
    },
    propose: (round, signal) => application.propose(round, signal),
    check: async (block) => {
      const { head } = application.state
      const code = await application.check(block)
      observer.checked(node, head, block.value, code)
      return code
    },
    extension: () => {
      const bytes = application.extension()
      const digests = extensionCodec.decode(bytes).reports.map(([, digest]) => digest)
      onNamed(application.reports.read(application.height + 1, digests))
      return node.liar?.extension(bytes) ?? bytes
    },
    isExtension: (validator, bytes) => application.isExtension(validator, bytes),
    persist: (block) => application.persist(block),
    read: (value) => application.read(value),
    commit: (block, certificate) => application.commit(block, certificate),
    evidence: (equivocation) => {
      // A liar hears what it said to others, too, and does not give itself away.
      if (node.liar?.isOwn(equivocation) !== true) application.evidence(equivocation)
    },
  }
}

export function transportOf({ observer, time }: World, node: MeshNode, life: Life): Transport {
  const say = (packet: Packet): void => {
    if (!node.step(life)) return
    if (node.liar === undefined) node.sayToAll(life, packet)
    else node.liar.say(node, life, packet)
    node.step(life)
  }
  return {
    publish: (height, bytes) => {
      if (life.isAlive && node.isHonest) observer.said(node, life, height, bytes, time.now)
      say({ type: 'message', height, bytes })
    },
    publishBlock: (height, round, block: ProposedBlock) => say({ type: 'block', height, round, block }),
    requestBlock: (height, value) => say({ type: 'want-block', height, value }),
  }
}

export function eventsOf({ observer, trace, time, keys }: World, node: MeshNode, life: Life): MeshEvents {
  return {
    onRound: (height, round) => {
      trace.note('round', node.id, height, round)
      if (life.isAlive) observer.round(node, height, round)
    },
    onDecided: (height, { round }) => {
      trace.note('decided', node.id, height, round)
      observer.decided(node, height, round)
    },
    onSynced: (height) => trace.note('synced', time.now, node.id, height),
    onBehind: () => life.isAlive && life.following.begin(),
    onTrap: (cause) => observer.report('the engine never traps', `${node.id}: ${String(cause)}`),
    onRefused: (code, from) => {
      trace.note(code, node.id)
      observer.refused(node, code, from)
    },
    onInvalidBlock: (code, proposer) => {
      trace.note(code, node.id)
      observer.invalid(node, code, proposer)
    },
    onProposalFailed: (round, cause) => trace.note(`no proposal: ${String(cause)}`, time.now, node.id, round),
    onEquivocation: ({ first, second }) => {
      const { number } = keys.ofKey(first.validator)!
      trace.note('contradicts itself', time.now, node.id, number)
      if (!isSameValue(first.value, second.value)) life.accused.add(number)
      observer.accused(node, number)
    },
    onFatal: (cause) => life.isAlive && observer.fatal(node, life.failedAt !== undefined, cause),
  }
}

function isSameValue(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b)
}
