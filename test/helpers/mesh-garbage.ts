import { encode } from '@ipld/dag-cbor'
import { existsSync, readFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { encodeLists, linksOf } from '../../consensus/epoch/block-codec.ts'
import {
  buildBlock,
  headerCodec,
  partsCodec,
  proposerOf,
  valueOf,
  type EpochHeader,
  type FinalEpoch,
  type OpenedBlock,
} from '../../consensus/epoch/index.ts'
import type { ProposedBlock } from '../../consensus/mesh/index.ts'
import { equalBytes } from '../../consensus/light/bytes.ts'
import { createEpochPorts } from '../../node/mesh/epoch-ports.ts'
import { frameCodec, type BftFrame } from '../../protocols/bft/codec.ts'
import { PART_BYTES } from '../../protocols/bft/constants.ts'
import { BFT_PROTOCOL } from '../../protocols/bft/index.ts'
import { blockParts } from '../../protocols/bft/envelopes.ts'
import type { MeshMember } from './mesh-member.ts'
import type { Operators } from './operators.ts'
import { eventually } from './processes.ts'

type Spoiling = Partial<Omit<OpenedBlock, 'header' | 'value'>> & { readonly header?: Partial<EpochHeader> }

/** How often a node has refused messages for this code. */
export async function refusals(mesh: Operators, name: string, code: string): Promise<number> {
  const text = await mesh.metrics(name)
  const counted = text.matchAll(/^kairos_(?:mesh_messages_refused|gossip_messages)_total\{(.*)\} (\d+)$/gm)
  return [...counted].reduce((sum, [, labels, count]) => sum + (labels!.includes(`"${code}"`) ? Number(count) : 0), 0)
}

/** Does it, and waits until the node counts one more refusal for this code. */
export async function isRefused(
  mesh: Operators,
  name: string,
  code: string,
  act: () => Promise<unknown>,
): Promise<void> {
  const before = await refusals(mesh, name, code)
  await act()
  await eventually(`${name} refuses with ${code}`, async () => (await refusals(mesh, name, code)) > before, 15_000)
}

/** MiB that a process holds; undefined where nobody tells. */
export function residentMib(pid: number): number | undefined {
  const file = `/proc/${pid}/status`
  if (!existsSync(file)) return undefined
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(file, 'utf8'))?.[1]) / 1024
}

/** Frames of no kind, or of one that the protocol does not have there. */
export const garbage = {
  random: () => Buffer.concat([Uint8Array.of(0xff), randomBytes(2_000)]),
  request: () => encode({ type: 'range', from: 1, count: 64 }),
  /** of a block of seventeen */
  part: (height: number) =>
    encode({ ...partOf(height, randomBytes(36), 0, 16), total: 17, bytes: new Uint8Array(PART_BYTES) }),
}

export function partOf(height: number, value: Uint8Array, index: number, total: number): BftFrame {
  return { type: 'part', height, round: 0, value, index, total, bytes: new Uint8Array(PART_BYTES).fill(index) }
}

/**
 * Proposes, as soon as it is its turn in a first round, what `spoil` makes of the block that would be right. What it says
 * is signed; only what it proposes is wrong.
 */
export function proposeWrongly(member: MeshMember, spoil: (block: OpenedBlock) => Spoiling): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const end = member.record.onFinal((final) => {
    const block = wrongBlock(member, final, spoil)
    if (block === undefined) return
    end()
    say(member, block).then(resolve, reject)
  })
  return promise
}

async function say(member: MeshMember, block: ProposedBlock): Promise<void> {
  const [height, round] = [member.state.height + 1, 0]
  await member.say({ type: 'message', height, bytes: member.pen.proposal({ height, round, value: block.value }) })
  for (const { frame } of blockParts(height, round, block)) await member.say(frame)
}

function wrongBlock(
  { state, pen }: MeshMember,
  { certificate }: FinalEpoch,
  spoil: (block: OpenedBlock) => Spoiling,
): ProposedBlock | undefined {
  const proposer = proposerOf(state.validators, state.height + 1, 0)
  const isExtended = certificate.signatures.every(({ extension }) => extension !== undefined)
  if (!equalBytes(proposer, pen.key) || !isExtended) return undefined
  const nothing = { reports: [], attestations: [], governance: [], evidence: [] }
  const { block } = buildBlock(state, nothing, certificate, { round: 0, proposer }, createEpochPorts(state.mesh))
  const { header, ...lists } = spoil(block)
  const parts = encodeLists({ ...block, ...lists })
  const encoded = headerCodec.encode({ ...block.header, ...linksOf(parts), ...header })
  return { value: valueOf(encoded), bytes: partsCodec.encode({ header: encoded, ...parts }) }
}

/** Parts of blocks that never become whole, so many MiB. */
export async function floodParts(member: MeshMember, to: string, mib: number): Promise<void> {
  for (let sent = 0; sent < mib * 16; sent += 15) {
    const [height, value] = [member.state.height + 1, randomBytes(36)]
    for (let index = 0; index < 15; index++) await member.say(partOf(height, value, index, 16), [to])
  }
}

/** Frames as small as may be, many at a time, until the node hangs up. */
export async function floodFrames(member: MeshMember, to: string): Promise<void> {
  const frame = frameCodec.encode({ type: 'want-block', height: 1, value: new Uint8Array(36) })
  const many = Buffer.concat(Array.from({ length: 500 }, () => Buffer.concat([Uint8Array.of(frame.byteLength), frame])))
  while (member.connected.includes(to)) {
    const stream = await member.stream(to, BFT_PROTOCOL).catch(() => undefined)
    while (stream?.status === 'open') {
      if (!stream.send(many)) await stream.onDrain({ signal: AbortSignal.timeout(5_000) }).catch(() => undefined)
    }
  }
}
