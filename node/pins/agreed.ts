import { pinOf, pins, type AgreedPin, type PinSpec } from '../../consensus/state/index.ts'
import { CodedError, codeOf, messageOf } from '../../protocols/shared/errors.ts'
import type {
  PinDocument,
  PinExportRow,
  PinFilter,
  PinImportLine,
  PinImportRow,
  PinListDocument,
  PinOptions,
  PinPage,
  PinRefusedRow,
  PinRewrite,
} from '../operations-pins.ts'
import type { Catalog, Index } from './catalog.ts'
import { documentOf, exportRowOf, importSpecOf, specOf } from './documents.ts'
import { pinCidOf } from './pin-cid.ts'
import type { PinCell, PinContent, PinMesh } from './ports.ts'

/** Pins that are looked at for one page: what nobody has is then not sought through all of a million at once. */
const MAX_LOOKED_AT = 20_000
/** Of one command. */
const IMPORT_BATCH = 32
/** Commands of an import under way at once. */
const IMPORT_AHEAD = 8

export interface AgreedInit {
  cell: PinCell
  content: PinContent
  mesh: PinMesh
  catalog: Catalog
}

/** The pinset that the cell agrees on: what is asked of it, and its pages. */
export class AgreedPins {
  readonly #init: AgreedInit

  constructor(init: AgreedInit) {
    this.#init = init
  }

  async add(path: string, options: PinOptions, signal: AbortSignal): Promise<PinDocument> {
    const { cell, mesh } = this.#init
    if (options.local === true) throw notLocal()
    const cid = await this.cidOf(path, signal)
    const peerIdOf = (member: string): string => mesh.peerIdOf(member)
    const spec = specOf(cid, options, { owner: mesh.self, peerIdOf, now: Date.now() })
    await cell.submit({ type: 'pin-set', pins: [spec] })
    return this.#document(this.#known(cid))
  }

  async remove(path: string, signal: AbortSignal): Promise<PinDocument> {
    const pin = await this.get(path, signal)
    await this.#init.cell.submit({ type: 'pin-unset', cid: pin.cid })
    return pin
  }

  async update(from: string, to: string, keep: boolean, signal: AbortSignal): Promise<PinDocument> {
    const [before, after] = [await this.cidOf(from, signal), await this.cidOf(to, signal)]
    const { cell, mesh } = this.#init
    await cell.submit({ type: 'pin-replace', from: before, to: after, keep, owner: mesh.self })
    return this.#document(this.#known(after))
  }

  async get(path: string, signal: AbortSignal): Promise<PinDocument> {
    return this.#document(await this.pin(path, signal))
  }

  /** After all that was agreed before. @throws {CodedError} E_PIN_UNKNOWN, E_NO_QUORUM */
  async pin(path: string, signal: AbortSignal): Promise<AgreedPin> {
    const cid = await this.cidOf(path, signal)
    await this.#init.cell.read()
    return this.#known(cid)
  }

  async list(filter: PinFilter, page: PinPage): Promise<PinListDocument> {
    const { found, next } = await this.page(filter, page)
    return { pins: found.map((pin) => this.#document(pin)), next }
  }

  async page(filter: PinFilter, page: PinPage): Promise<{ found: AgreedPin[]; next: string | null }> {
    await this.#init.cell.read()
    const matches = matcher(
      filter,
      filter.allocatedTo === undefined ? undefined : this.#init.mesh.peerIdOf(filter.allocatedTo),
    )
    const found: AgreedPin[] = []
    let looked = 0
    let cursor: string | undefined
    for await (const candidate of this.#candidates(filter, page)) {
      if (found.length === page.limit || looked === MAX_LOOKED_AT) return { found, next: cursor ?? null }
      looked += 1
      cursor = candidate.cursor
      if (candidate.pin !== undefined && matches(candidate.pin)) found.push(candidate.pin)
    }
    return { found, next: null }
  }

  async *export(): AsyncGenerator<PinExportRow> {
    await this.#init.cell.read()
    const { catalog, cell } = this.#init
    const { tree } = cell
    for await (const { cid } of catalog.find({ by: 'created' })) {
      const pin = pinOf(tree, cid)
      if (pin !== undefined) yield exportRowOf(pin)
    }
  }

  async *import(
    lines: AsyncIterable<PinImportLine>,
    rewrite: PinRewrite,
    signal: AbortSignal,
  ): AsyncGenerator<PinImportRow> {
    const { mesh } = this.#init
    const named = {
      ...rewrite,
      ...(rewrite.allocations && { allocations: rewrite.allocations.map((peer) => mesh.peerIdOf(peer)) }),
    }
    let [imported, refused] = [0, 0]
    const underWay: Promise<Outcome[]>[] = []
    const ended = async function* (outcomes: Promise<Outcome[]>): AsyncGenerator<PinImportRow> {
      for (const outcome of await outcomes) {
        if (outcome === undefined) imported += 1
        else {
          refused += 1
          yield outcome
        }
      }
      yield { type: 'progress', imported }
    }
    let batch: Line[] = []
    const send = (): void => {
      const outcomes = this.#set(batch)
      // Heard of in its turn, or not at all when one before it has ended the import.
      outcomes.catch(() => undefined)
      underWay.push(outcomes)
      batch = []
    }
    try {
      for await (const given of lines) {
        signal.throwIfAborted()
        if (given.type === 'refused') {
          refused += 1
          yield given
          continue
        }
        batch.push({ line: given.line, spec: importSpecOf(given.pin, named, mesh.self) })
        if (batch.length < IMPORT_BATCH) continue
        send()
        if (underWay.length >= IMPORT_AHEAD) yield* ended(underWay.shift()!)
      }
      if (batch.length > 0) send()
      for (const outcomes of underWay) yield* ended(outcomes)
      yield { type: 'end', imported, refused }
    } finally {
      await Promise.allSettled(underWay)
    }
  }

  /** A batch is all or nothing: where one is refused, each is asked for alone. */
  async #set(batch: readonly Line[]): Promise<Outcome[]> {
    const { cell } = this.#init
    try {
      await cell.submit({ type: 'pin-set', pins: batch.map(({ spec }) => spec) })
      return batch.map(() => undefined)
    } catch (error) {
      if (isOfTheCell(error)) throw error
      if (batch.length > 1) return (await Promise.all(batch.map((one) => this.#set([one])))).flat()
      const { line, spec } = batch[0]!
      return [{ type: 'refused', line, cid: spec.cid, code: codeOf(error), message: messageOf(error) }]
    }
  }

  /** @throws {CodedError} E_CID_INVALID, and what fetching the way to it throws */
  async cidOf(path: string, signal: AbortSignal): Promise<string> {
    return pinCidOf(await this.#init.content.resolve(path, signal))
  }

  #document(pin: AgreedPin): PinDocument {
    return documentOf(pin, (peerId) => this.#init.mesh.nameOf(peerId))
  }

  #known(cid: string): AgreedPin {
    const pin = pinOf(this.#init.cell.tree, cid)
    if (pin !== undefined) return pin
    throw new CodedError('E_PIN_UNKNOWN', `${cid} is not pinned`, { hint: '`kairos pin ls` lists what is' })
  }

  /** By the index that leaves the fewest to look at. */
  async *#candidates(filter: PinFilter, page: PinPage): AsyncGenerator<Candidate> {
    const { cell, catalog, mesh } = this.#init
    const index = indexOf(filter, page, (member) => mesh.peerIdOf(member))
    const { tree } = cell
    if (index === undefined) {
      for (const pin of pins(tree, page.after)) yield { pin, cursor: pin.cid }
    } else {
      for await (const { cid, cursor } of catalog.find(index, page.after)) yield { pin: pinOf(tree, cid), cursor }
    }
  }
}

interface Candidate {
  pin: AgreedPin | undefined
  cursor: string
}

interface Line {
  line: number
  spec: PinSpec
}

/** undefined: it is pinned */
type Outcome = PinRefusedRow | undefined

function indexOf(filter: PinFilter, { order }: PinPage, peerIdOf: (member: string) => string): Index | undefined {
  const { name, metadata, allocatedTo, createdAfter, createdBefore } = filter
  if (order === 'name') return { by: 'name', prefix: name ?? '' }
  if (order === 'created') return createdBetween(createdAfter, createdBefore)
  const [first] = Object.entries(metadata ?? {})
  if (first !== undefined) return { by: 'metadata', key: first[0], value: first[1] }
  if (name !== undefined && name !== '') return { by: 'name', prefix: name }
  if (allocatedTo !== undefined) return { by: 'holder', peerId: peerIdOf(allocatedTo) }
  return createdAfter === undefined && createdBefore === undefined
    ? undefined
    : createdBetween(createdAfter, createdBefore)
}

function createdBetween(after: string | undefined, before: string | undefined): Index {
  return {
    by: 'created',
    ...(after !== undefined && { from: Date.parse(after) }),
    ...(before !== undefined && { to: Date.parse(before) }),
  }
}

function matcher(filter: PinFilter, holder: string | undefined): (pin: AgreedPin) => boolean {
  const { name, metadata, mode, createdAfter, createdBefore } = filter
  const [from, to] = [Date.parse(createdAfter ?? ''), Date.parse(createdBefore ?? '')]
  return (pin) =>
    (name === undefined || pin.name.startsWith(name)) &&
    (mode === undefined || pin.mode === mode) &&
    (holder === undefined || pin.allocations.includes(holder)) &&
    !(pin.created < from) &&
    !(pin.created >= to) &&
    Object.entries(metadata ?? {}).every(([key, value]) => pin.metadata[key] === value)
}

/** Not about the pins that were asked for: what comes after would fare no better. */
function isOfTheCell(error: unknown): boolean {
  return /^E_(NO_QUORUM|OUTCOME_UNKNOWN|CELL_BUSY|STOPPING|STATE_FULL)$/.test(codeOf(error))
}

function notLocal(): CodedError {
  return new CodedError('E_NOT_IN_ROLE', 'a full node keeps what its cell has agreed on, and nothing else', {
    hint: 'to have it here: --allocations with the name of this node',
  })
}
