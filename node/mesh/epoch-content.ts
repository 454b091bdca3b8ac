import type { CID } from 'multiformats/cid'
import { pinOf } from '../../consensus/state/index.ts'
import { messageOf } from '../../protocols/shared/errors.ts'
import type { CellState } from '../cell/types.ts'
import type { Content } from '../content/index.ts'
import type { Lease } from '../content/pins/index.ts'
import type { PinOperations } from '../operations-pins.ts'
import type { Service } from '../service.ts'
import type { Log } from '../telemetry/log.ts'
import { blocksOf, rootOf, segmentOf } from './segment.ts'
import type { NodeMesh } from './service.ts'

/** Epochs that wait to become content; further behind, what is before the last two segments is left out. */
const MAX_BACKLOG = 2_048
/** Segments that wait until their pin is agreed on; the oldest goes for a newer one. */
const MAX_UNPINNED = 4
const LOOK_MS = 15_000
/** Of what the cell gives up, at once. */
const MAX_REMOVED = 16
const NAME = /^epochs (\d+)-(\d+)$/

export interface EpochContentInit {
  mesh: Pick<NodeMesh, 'state' | 'onFinal' | 'oldest' | 'block' | 'keep'>
  content: Pick<Content, 'put' | 'local'>
  pins: Pick<PinOperations, 'add' | 'remove' | 'list'>
  cell: Pick<CellState, 'tree' | 'isLeader'>
  log: Log
}

interface Segment {
  readonly from: number
  readonly to: number
  readonly lease: Lease
  headers: CID[]
  root: CID | undefined
}

/**
 * Final epochs as content: header and lists of each by their CIDs, and for each 256 of them one root, which the cell's
 * leader pins. Behind the record, never in its way: what fails here fails here alone.
 */
export class EpochContent implements Service {
  readonly name = 'epoch content'
  readonly #init: EpochContentInit
  readonly #stopped = new AbortController()
  #next = 1
  #segment: Segment | undefined
  #unpinned: Segment[] = []
  #wake = (): void => {}
  #unlisten = (): void => {}
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #looking: Promise<void> | undefined

  constructor(init: EpochContentInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    const { mesh } = this.#init
    this.#unlisten = mesh.onFinal(() => this.#wake())
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#next = this.#first()
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    clearInterval(this.#timer)
    this.#unlisten()
    this.#wake()
    await this.#running
    await this.#looking
    for (const { lease } of [...this.#unpinned, ...(this.#segment === undefined ? [] : [this.#segment])])
      lease.release()
  }

  /** The last whole segment may not be pinned yet. */
  #first(): number {
    const { mesh } = this.#init
    const { from } = segmentOf(Math.max(1, mesh.state.height))
    const start = Math.max(1, from - 256)
    if (mesh.oldest <= start) return start
    return mesh.oldest <= from ? from : segmentOf(mesh.oldest + 255).from
  }

  async #run(): Promise<void> {
    const { mesh, log } = this.#init
    while (!this.#stopped.signal.aborted) {
      const { height } = mesh.state
      if (height - this.#next > MAX_BACKLOG) this.#skip()
      if (this.#next > height) {
        await new Promise<void>((resolve) => (this.#wake = resolve))
        continue
      }
      try {
        await this.#put(this.#next)
      } catch (error) {
        // A full store, or one that stops: this segment is left out.
        log.warn('an epoch did not become content', { height: this.#next, reason: messageOf(error) })
        this.#segment?.lease.release()
        this.#segment = undefined
        this.#next = segmentOf(this.#next).to
      }
      this.#next += 1
    }
  }

  async #put(height: number): Promise<void> {
    const { mesh, content } = this.#init
    const epoch = await mesh.block(height)
    if (epoch === undefined) throw new Error('it is no longer kept')
    const { from, to } = segmentOf(height)
    if (height === from) this.#segment = { from, to, lease: content.local.hold(), headers: [], root: undefined }
    const segment = this.#segment
    if (segment === undefined) return
    const blocks = blocksOf(epoch)
    await Promise.all(blocks.map(({ cid, bytes }) => content.put(cid, bytes, segment.lease)))
    segment.headers.push(blocks[0].cid)
    if (height < to) return
    const root = rootOf(mesh.state.mesh, segment, segment.headers)
    await content.put(root.cid, root.bytes, segment.lease)
    this.#completed({ ...segment, root: root.cid, headers: [] })
  }

  #completed(segment: Segment): void {
    this.#segment = undefined
    this.#unpinned.push(segment)
    if (this.#unpinned.length > MAX_UNPINNED) this.#unpinned.shift()?.lease.release()
    this.#look()
  }

  #skip(): void {
    this.#segment?.lease.release()
    this.#segment = undefined
    this.#next = this.#first()
  }

  #look(): void {
    this.#looking ??= this.#pin()
      .catch((error: unknown) => this.#init.log.debug('epochs are not pinned yet', { reason: messageOf(error) }))
      .finally(() => (this.#looking = undefined))
  }

  async #pin(): Promise<void> {
    const { cell, pins } = this.#init
    for (const segment of this.#unpinned) {
      const cid = segment.root!.toString()
      if (pinOf(cell.tree, cid) !== undefined) this.#settled(segment)
      else if (cell.isLeader) {
        const name = `epochs ${segment.from}-${segment.to}`
        await pins.add(cid, { name, metadata: { kind: 'epochs' } }, this.#stopped.signal)
        await this.#giveUp(segment.to)
      }
    }
  }

  /** It is agreed on; the holders count its blocks in the time that the next one takes. */
  #settled(segment: Segment): void {
    if (segment.to + 256 > this.#init.mesh.state.height) return
    segment.lease.release()
    this.#unpinned = this.#unpinned.filter((one) => one !== segment)
  }

  /** Of what lies further back than is kept, some at a time. */
  async #giveUp(height: number): Promise<void> {
    const { mesh, pins } = this.#init
    if (mesh.keep === 0) return
    const { signal } = this.#stopped
    const page = { order: 'created' as const, limit: MAX_REMOVED }
    const found = await pins.list({ name: 'epochs ', metadata: { kind: 'epochs' } }, page, signal)
    for (const { name, cid } of found.pins) {
      const to = Number(NAME.exec(name)?.[2] ?? Infinity)
      if (to < height - mesh.keep) await pins.remove(cid, signal)
    }
  }
}
