import { get, set, seats, type Seat, type State, type Tree } from '../../../consensus/state/index.ts'
import { pinRecord } from '../../../consensus/state/pin-records.ts'
import { counterRecord, KEY } from '../../../consensus/state/records.ts'
import type { Request } from '../../../node/cell/commands.ts'
import type { Observer } from '../../../node/pins/observe.ts'
import type { Tracker } from '../../../node/pins/tracker/index.ts'
import type { TrackerLimits } from '../../../node/pins/tracker/types.ts'

/** A planted defect. */
export interface PinMutant {
  readonly name: string
  readonly what: string
  readonly graceMs?: number
  readonly limits?: Partial<TrackerLimits>
  /** repair goes on at whoever does not lead */
  readonly leads?: true
  readonly tracker?: (honest: Tracker) => Tracker
  /** what a member sees of others before it drops a copy */
  readonly sight?: (honest: Observer) => Pick<Observer, 'statuses'>
  readonly spoil?: (state: State, request: Request) => State
}

export const PIN_MUTANTS: readonly PinMutant[] = [
  {
    name: 'drop-without-check',
    what: 'a copy that moves elsewhere is dropped whatever the others have',
    sight: (honest) => ({
      statuses: async (found, ...more) => {
        const seen = await honest.statuses(found, ...more)
        return seen.map((one) => ({
          ...one,
          copies: one.copies.map((copy) => ({ ...copy, status: 'pinned' as const })),
        }))
      },
    }),
  },
  { name: 'repair-ignores-grace', what: 'who is away for a moment is lost', graceMs: 0 },
  { name: 'retry-starves', what: 'what has failed once finds no place any more', limits: { again: 0 } },
  {
    name: 'redirect-forgotten',
    what: 'what is wanted again while it is unpinned is not pinned',
    tracker: (honest) =>
      withMethod(honest, 'want', (pin) => {
        if (honest.statusOf(pin.cid)?.status !== 'unpinning') honest.want(pin)
      }),
  },
  { name: 'copies-above-max', what: 'a move gives copies to all', spoil: toAll },
  { name: 'repair-on-follower', what: 'everybody moves copies', leads: true },
]

/** @throws RangeError for a name that no mutant has */
export function pinMutantOf(name: string): PinMutant {
  const mutant = PIN_MUTANTS.find((one) => one.name === name)
  if (mutant === undefined)
    throw new RangeError(`no mutant ${name}; there are ${PIN_MUTANTS.map(({ name }) => name).join(', ')}`)
  return mutant
}

function withMethod<K extends keyof Tracker>(honest: Tracker, name: K, method: Tracker[K]): Tracker {
  return new Proxy(honest, {
    get: (target, key) => {
      if (key === name) return method
      const value = Reflect.get(target, key) as unknown
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

function toAll(state: State, request: Request): State {
  if (request.type !== 'pin-move') return state
  const value = get(state.tree, KEY.pin(request.cid))
  if (value === undefined) return state
  const pin = pinRecord.decode(value)
  const more = seats(state.tree).filter(({ seat, draining }) => !draining && !pin.seats.includes(seat))
  const all = [...pin.seats, ...more.map(({ seat }) => seat)].sort((a, b) => a - b)
  const spoilt = set(state.tree, KEY.pin(request.cid), pinRecord.encode({ ...pin, seats: all }))
  const count = (tree: Tree, { seat, pins }: Seat) => set(tree, KEY.seatPins(seat), counterRecord.encode(pins + 1))
  return { ...state, tree: more.reduce(count, spoilt) }
}
