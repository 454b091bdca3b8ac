import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { CID } from 'multiformats/cid'
import { pinOf } from '../../consensus/state/index.ts'
import { createAudit, type Audit, type AuditInit, type AuditResult } from '../../node/pins/audit/index.ts'
import type { PinCell } from '../../node/pins/ports.ts'
import { AUDIT_PROTOCOL } from '../../protocols/audit/index.ts'
import { answerCodec, requestCodec, type AuditAnswer, type Challenge } from '../../protocols/audit/codec.ts'
import { readFrames, writeFrame } from '../../protocols/shared/frames.ts'
import { createLog } from '../../node/telemetry/log.ts'
import { Replica, type Body } from '../unit/state/cell.ts'
import { connect, startLibp2p, type TestLibp2p } from './libp2p-pair.ts'
import { MemorySublevel, type Rows } from './memory-sublevel.ts'
import { block, Mesh, NEVER, node, openIndex, type Block, type Index } from './pin-fixtures.ts'

export interface AuditNode {
  libp2p: TestLibp2p
  peerId: string
  index: Index
  audit: Audit
  rows: Rows
  results: AuditResult[]
  refused: string[]
  /** Lines of its log, from warnings on. */
  log: string[]
  /** Blocks that were read for audits. */
  reads: string[]
  /** How long its disk takes for a block. */
  readMs: number
}

interface Listener {
  onChanged: (keys: readonly string[]) => void
  onReplaced: () => void
}

/** Nodes of one cell whose agreed state a test changes as it likes. */
export class AuditCell implements Pick<PinCell, 'tree' | 'subscribe'> {
  readonly nodes: AuditNode[] = []
  readonly #replica = new Replica()
  readonly #listeners = new Set<Listener>()

  get tree() {
    return this.#replica.tree
  }

  subscribe(onChanged: Listener['onChanged'], onReplaced: () => void): () => void {
    const listener = { onChanged, onReplaced }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  run(body: Body): void {
    const keys = this.#apply(body)
    for (const { onChanged } of this.#listeners) onChanged(keys)
  }

  /** As a leader's state brings it to all nodes at once: they are told no key. */
  replace(body: Body): void {
    this.#apply(body)
    for (const { onReplaced } of this.#listeners) onReplaced()
  }

  #apply(body: Body): string[] {
    const { changes, result } = this.#replica.command(body)
    if (result?.ok === false) throw new Error(`refused: ${result.code}`)
    return changes.map(({ key }) => key)
  }

  async add(init: Partial<AuditInit> = {}): Promise<AuditNode> {
    const libp2p = await startLibp2p()
    for (const other of this.nodes) await connect(libp2p, other.libp2p)
    const peerId = libp2p.peerId.toString()
    this.run({ type: 'member-join', peerId, incarnation: randomBytes(16) })
    const made = await this.#node(libp2p, init)
    this.nodes.push(made)
    return made
  }

  /** To be held by these alone. */
  agree(root: CID, holders: readonly AuditNode[]): void {
    const cid = root.toString()
    const wanted = holders.map(({ peerId }) => peerId)
    this.run({ type: 'pin-set', pins: [{ cid, owner: wanted[0]!, min: wanted.length, max: wanted.length }] })
    const { allocations, revision } = pinOf(this.tree, cid)!
    const add = wanted.filter((peerId) => !allocations.includes(peerId))
    const drop = allocations.filter((peerId) => !wanted.includes(peerId))
    if (add.length > 0) this.run({ type: 'pin-move', cid, revision, add, drop })
  }

  async stop(): Promise<void> {
    for (const { audit } of this.nodes) await audit.stop()
    for (const { libp2p } of this.nodes) await libp2p.stop()
  }

  async #node(libp2p: TestLibp2p, init: Partial<AuditInit>): Promise<AuditNode> {
    const index = await openIndex()
    const parts = { results: [], refused: [], log: [], reads: [], readMs: 0, rows: new Map() as Rows }
    const made = { libp2p, peerId: libp2p.peerId.toString(), index, ...parts } as unknown as AuditNode
    made.audit = this.again(made, init)
    return made
  }

  /** The audit of a node, as it is made after a start. */
  again(of: AuditNode, init: Partial<AuditInit> = {}): Audit {
    const { libp2p, index, results, refused, reads, log } = of
    return createAudit({
      libp2p,
      cell: this,
      self: libp2p.peerId.toString(),
      local: index.pins,
      readBlock: async (cid) => {
        reads.push(cid.toString())
        if (of.readMs > 0) await delay(of.readMs)
        for await (const bytes of index.store.get(cid)) return bytes
        return undefined
      },
      store: new MemorySublevel(of.rows),
      isOfCell: (peer) => this.nodes.some(({ peerId }) => peerId === peer.toString()),
      log: createLog({ level: 'warn', format: 'structured', write: (line) => void log.push(line) }).forComponent(
        'test',
      ),
      onResult: (result) => void results.push(result),
      onRefused: (_peer, code) => void refused.push(code),
      ...init,
    })
  }
}

/** A root with leaves, pinned by these nodes. */
export async function pinned(name: string, holders: readonly AuditNode[], leaves = 20): Promise<Block[]> {
  const below = Array.from({ length: leaves }, (_, at) => block(Buffer.from(`${name} ${at}`)))
  const root = node(name, below)
  const mesh = new Mesh().add(root, ...below)
  for (const { index } of holders) {
    const get = async (cid: CID): Promise<Uint8Array> => {
      const bytes = await mesh.fetch(cid, NEVER)
      await index.store.put(cid, bytes)
      return bytes
    }
    await index.pins.pin(root.cid, { mode: 'recursive', get, signal: NEVER })
  }
  return [root, ...below]
}

const NOTHING_FOUND: AuditAnswer = { type: 'results', rows: [], next: 0 }

/** It says that it holds everything, and answers as a function has it. */
export async function lie(
  { libp2p }: Pick<AuditNode, 'libp2p'>,
  answer: (asked: Challenge) => Promise<AuditAnswer | undefined>,
): Promise<void> {
  await libp2p.unhandle(AUDIT_PROTOCOL)
  await libp2p.handle(AUDIT_PROTOCOL, async (stream) => {
    for await (const frame of readFrames(stream, { maxFrameBytes: 8_192 })) {
      const request = requestCodec.decode(frame)
      const made = request.type === 'results' ? NOTHING_FOUND : await answer(request)
      if (made === undefined) return stream.abort(new Error('it does not answer'))
      await writeFrame(stream, answerCodec.encode(made))
    }
    await stream.close()
  })
}

export const guess = async (): Promise<AuditAnswer> => ({ type: 'proof', digest: randomBytes(32) })

/** All a liar can have kept: the multihashes, and what it has sent before. */
export const hashed = async ({ blocks, salt }: Challenge): Promise<AuditAnswer> => {
  const digest = createHash('sha256')
  for (const each of blocks) digest.update(salt).update(each)
  return { type: 'proof', digest: digest.digest() }
}
