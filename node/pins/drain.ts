import { isDraining, pinOf, pinsHeldBy, seats, type AgreedPin } from '../../consensus/state/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { Catalog } from './catalog.ts'
import type { PinCell, PinMesh } from './ports.ts'
import { findShort } from './short.ts'
import { pause } from './wait.ts'

const LOOK_MS = 500
const STALL_MS = 600_000

export interface DrainInit {
  cell: PinCell
  mesh: Pick<PinMesh, 'self' | 'isConnected'>
  catalog: Pick<Catalog, 'find'>
}

export interface Drain {
  /** Whether the leader repairs, as far as it can be told. */
  isRepairing: () => Promise<boolean>
  /** What is done once no copy is left. */
  leave: () => Promise<void>
  /** Without a copy that has moved for so long it is given up; 10 minutes unless told. */
  stallMs?: number
}

/**
 * Has the cell drain this node, and waits until repair has moved all copies elsewhere, then leaves. Whatever ends it
 * before takes the draining back, unless an operator had asked for it already.
 *
 * @returns how many copies are left, whenever that has changed
 * @throws {CodedError} E_DRAIN_SHORT where copies have no other place, E_DRAIN_STALLED; and as `leave`
 */
export async function* drainAndLeave(init: DrainInit, drain: Drain, signal: AbortSignal): AsyncGenerator<number> {
  const { cell, mesh } = init
  await cell.read()
  // Who is alone has nobody to drain to: leaving is refused for a better reason.
  if (pinsHeldBy(cell.tree, mesh.self) === 0 || seats(cell.tree).length < 2) return drain.leave()
  const wasDraining = isDraining(cell.tree, mesh.self)
  let hasLeft = false
  try {
    if (!wasDraining) await cell.submit({ type: 'member-drain', peerId: mesh.self, on: true })
    await refuseShort(init)
    if (!(await drain.isRepairing())) throw stalled(pinsHeldBy(cell.tree, mesh.self), 'repair is off at the leader')
    yield* untilNone(init, drain.stallMs ?? STALL_MS, signal)
    await drain.leave()
    hasLeft = true
  } finally {
    // Nobody may be there to agree on it; why the node stays is said either way, and `members undrain` takes it back.
    if (!hasLeft && !wasDraining)
      await cell.submit({ type: 'member-drain', peerId: mesh.self, on: false }).catch(() => undefined)
  }
}

async function* untilNone({ cell, mesh }: DrainInit, stallMs: number, signal: AbortSignal): AsyncGenerator<number> {
  let last: number | undefined
  for (let since = performance.now(); ; await pause(LOOK_MS, signal)) {
    const left = pinsHeldBy(cell.tree, mesh.self)
    if (left === 0) return
    if (left !== last) {
      since = performance.now()
      yield (last = left)
    } else if (performance.now() - since > stallMs) {
      throw stalled(left, `none has moved for ${Math.round(stallMs / 1000)} s`)
    }
  }
}

async function refuseShort({ cell, mesh, catalog }: DrainInit): Promise<void> {
  const { tree } = cell
  const isThere = (peerId: string): boolean => peerId === mesh.self || mesh.isConnected(peerId)
  const { count, first } = await findShort(tree, held(tree, mesh.self, catalog), isThere)
  if (first === undefined) return
  const example = `${first.name || first.cid} wants ${first.wants} copies, and the other members can hold ${first.has}`
  throw new CodedError('E_DRAIN_SHORT', `no other place for ${copies(count)} of this node: ${example}`, {
    hint:
      'start the members that are away or add one (kairos invite --role full), ask for fewer copies ' +
      '(kairos pin add CID --rmin N), or leave without moving them: kairos leave --no-drain',
  })
}

async function* held(tree: PinCell['tree'], self: string, catalog: DrainInit['catalog']): AsyncGenerator<AgreedPin> {
  for await (const { cid } of catalog.find({ by: 'holder', peerId: self })) {
    const pin = pinOf(tree, cid)
    if (pin !== undefined) yield pin
  }
}

function stalled(left: number, why: string): CodedError {
  return new CodedError('E_DRAIN_STALLED', `${copies(left)} of this node did not move elsewhere: ${why}`, {
    hint:
      'kairos pin plan tells what repair would move, kairos pin status what is slow, pins.repair must be true at the ' +
      'leader; --drain-timeout waits longer, and kairos leave --no-drain leaves without moving them',
  })
}

function copies(count: number): string {
  return count === 1 ? '1 copy' : `${count} copies`
}
