import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { CID } from 'multiformats/cid'
import type { Push } from '../../protocols/blocks/index.ts'
import { messageOf } from '../../protocols/shared/errors.ts'
import type { Content } from '../content/index.ts'
import type {
  AddEntry,
  AddOptions,
  AddPinRow,
  AddRow,
  PinningAddOptions,
  PinningContentOperations,
} from '../operations.ts'
import type { PinOptions, PinWait } from '../operations-pins.ts'
import type { Parts } from '../parts.ts'
import type { Log } from '../telemetry/log.ts'
import type { PinService } from './open.ts'
import { NO_PINS } from './unavailable.ts'

type PinningParts = Pick<Parts, 'content' | 'membership' | 'log'> & { pins: PinService }

/** Content whose `add` also pins. */
export function pinningContent(
  parts: Pick<Parts, 'content' | 'membership' | 'log' | 'pins'>,
): PinningContentOperations {
  const { content, pins } = parts
  return {
    add(entries, options, signal) {
      const { pin } = options
      if (pin === undefined) return content.add(entries, options, signal)
      // Refused before anything is added.
      if (pins === undefined) return NO_PINS.add('', pin, signal) as never
      return addPinned({ ...parts, pins }, entries, { ...options, pin }, signal)
    },
    cat: (path, range, signal) => content.cat(path, range, signal),
    walk: (path, signal) => content.walk(path, signal),
    car: (path, signal) => content.car(path, signal),
    ls: (path, signal) => content.ls(path, signal),
    stat: (path, signal) => content.stat(path, signal),
  }
}

/**
 * The blocks go to those who are to hold them while they are made, so that the pin finds them there. Who fails meanwhile
 * fetches them later, as any other would.
 */
async function* addPinned(
  parts: PinningParts,
  entries: AsyncIterable<AddEntry>,
  { pin, wait, ...options }: PinningAddOptions & { pin: PinOptions },
  signal: AbortSignal,
): AsyncGenerator<AddRow | AddPinRow> {
  const { content, pins } = parts
  const { peerId: self } = parts.membership.self
  const log = parts.log.forComponent('kairos:pins')
  const lease = content.local.hold()
  const others = pins.placement(pin).filter((peerId) => peerId !== self)
  const pushes = new Pushes(content, log)
  try {
    await pushes.open(others, signal)
    const onBlock = (cid: CID, bytes: Uint8Array): Promise<void> => pushes.push(cid, bytes)
    const roots = new Set<string>()
    for await (const row of content.add(entries, options, signal, { lease, onBlock })) {
      if (isRoot(row, options)) roots.add(row.cid)
      yield row
    }
    await pushes.finish()
    const allocations = pin.allocations ?? pins.placement(pin).filter((peerId) => peerId === self || pushes.has(peerId))
    const placed = allocations.length === 0 ? pin : { ...pin, allocations }
    yield* pinAll(pins, roots, { pin: placed, wait }, signal)
  } finally {
    pushes.abort()
    // Held until the tracker has them: it begins with the commit, and gc spares what a pin counts.
    lease.release()
  }
}

/** A directory comes after what is in it; the one that wraps all has no name. */
function isRoot({ path }: AddRow, { wrapWithDirectory }: AddOptions): boolean {
  return wrapWithDirectory ? path === '' : !path.includes('/')
}

/** All are agreed on before any is waited for. */
async function* pinAll(
  { operations, beforePin }: PinService,
  roots: ReadonlySet<string>,
  { pin, wait }: { pin: PinOptions; wait: PinWait | undefined },
  signal: AbortSignal,
): AsyncGenerator<AddPinRow> {
  for (const root of roots) {
    await beforePin?.(root, pin, signal)
    if (wait === undefined) yield { pin: await operations.add(root, pin, signal) }
    else if (roots.size > 1) await operations.add(root, pin, signal)
  }
  if (wait === undefined) return
  for (const root of roots) for await (const status of operations.addAndWait(root, pin, wait, signal)) yield { status }
}

/** Copies of one `add` on their way to several members. */
class Pushes {
  readonly #content: Content
  readonly #log: Log
  readonly #open = new Map<string, Push>()

  constructor(content: Content, log: Log) {
    this.#content = content
    this.#log = log
  }

  has(peerId: string): boolean {
    return this.#open.has(peerId)
  }

  async open(peerIds: readonly string[], signal: AbortSignal): Promise<void> {
    await Promise.all(
      peerIds.map(async (peerId) => {
        const peer: PeerId = peerIdFromString(peerId)
        try {
          this.#open.set(peerId, await this.#content.pushTo(peer, signal))
        } catch (error) {
          this.#gaveUp(peerId, error)
        }
      }),
    )
  }

  /** Waits for room at the slowest: what is made is not made faster than it is taken. */
  async push(cid: CID, bytes: Uint8Array): Promise<void> {
    await Promise.all(
      [...this.#open].map(async ([peerId, push]) => {
        const failed = (error: unknown): void => this.#gaveUp(peerId, error)
        push.push(cid, bytes).catch(failed)
        await push.room().catch(failed)
      }),
    )
  }

  async finish(): Promise<void> {
    await Promise.all(
      [...this.#open].map(([peerId, push]) => push.finish().catch((error: unknown) => this.#gaveUp(peerId, error))),
    )
  }

  abort(): void {
    for (const push of this.#open.values()) push.abort(new Error('the add has ended'))
  }

  #gaveUp(peerId: string, error: unknown): void {
    if (!this.#open.delete(peerId)) return
    this.#log.info('blocks were not pushed to a member, which fetches them later', { peerId, reason: messageOf(error) })
  }
}
