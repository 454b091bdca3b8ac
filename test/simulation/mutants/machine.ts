import type { StateMachine } from '../../../consensus/cell/ports.ts'
import type { Mutant, MutantWorld } from '../member.ts'

/** Defects of the state machine and of its snapshots. */
export const MACHINE_MUTANTS: readonly Mutant[] = [
  {
    name: 'apply-twice',
    what: 'the last entry of a turn is applied again',
    ports: machine((inner) => ({
      apply: async (entries, configured) => {
        const applied = await inner.apply(entries, configured)
        await inner.apply(entries.slice(-1), configured)
        return applied
      },
    })),
  },
  {
    name: 'skip-apply',
    what: 'the first entry of a long turn is left out',
    ports: machine((inner) => ({
      apply: (entries, configured) => inner.apply(entries.length > 2 ? entries.slice(1) : entries, configured),
    })),
  },
  {
    name: 'dedupe-off',
    what: 'a command that is tried again takes effect again',
    ports: machine((_inner, world) => {
      world.machine!.dedupe = false
      return {}
    }),
  },
  {
    name: 'forget-results-on-restart',
    what: 'a restart forgets which commands took effect',
    ports: machine((_inner, world) => {
      world.machine!.forgetResults()
      return {}
    }),
  },
  {
    name: 'forget-sessions-on-restart',
    what: "a restart forgets the sessions of the product's own state",
    ports: machine((_inner, world) => {
      world.machine!.forgetSessions()
      return {}
    }),
  },
  {
    name: 'root-of-another-index',
    what: 'a snapshot offers the root of the one before',
    ports: machine((inner) => {
      let last: Uint8Array | undefined
      return {
        snapshot: async () => {
          const { index, root } = await inner.snapshot()
          const offered = last ?? root
          last = root
          return { index, root: offered }
        },
      }
    }),
  },
  {
    name: 'snapshot-not-synced',
    what: 'a snapshot is offered although its blocks are not on the disk',
    ports: machine((inner, { blocks }) => ({
      snapshot: async () => {
        const taken = await inner.snapshot()
        blocks.delete(Buffer.from(taken.root).toString('hex'))
        return taken
      },
    })),
  },
  {
    name: 'lose-configuration-on-restart',
    what: 'a restart knows the founders only',
    ports: machine((inner) => {
      const before = inner.configuration
      const configuration = { ...before, voters: before.voters.filter((id) => id <= 3), learners: [] }
      let isFresh = true
      return {
        get configuration() {
          return isFresh && before.voters.length > 0 ? configuration : inner.configuration
        },
        apply: (entries, configured) => {
          isFresh = false
          return inner.apply(entries, configured)
        },
      }
    }),
  },
  {
    name: 'applied-too-far-on-restart',
    what: 'a restart takes one more entry for applied than is',
    ports: machine((inner) => {
      let more = inner.applied > 1 ? 1 : 0
      return {
        get applied() {
          return inner.applied + more
        },
        apply: (entries, configured) => {
          more = 0
          return inner.apply(entries, configured)
        },
      }
    }),
  },
  {
    name: 'answers-mixed-up',
    what: "two commands of one turn get each other's result",
    ports: machine((inner) => {
      let last: unknown
      return {
        apply: async (entries, configured) => {
          const applied = await inner.apply(entries, configured)
          return applied.map((one) => {
            const result = one.commandId === undefined || last === undefined ? one.result : last
            last = one.result ?? last
            return { ...one, result }
          })
        },
      }
    }),
  },
  {
    name: 'node-dependent',
    what: 'the outcome of a command depends on the node that applies it',
    ports: (ports, world) => ({
      ...ports,
      machine: over(ports.machine, {
        apply: (entries, configured) => {
          world.machine!.tamper(ports.id)
          return ports.machine.apply(entries, configured)
        },
      }),
    }),
  },
]

function machine(
  make: (inner: StateMachine, world: MutantWorld) => Partial<StateMachine>,
): NonNullable<Mutant['ports']> {
  return (ports, world) => ({ ...ports, machine: over(ports.machine, make(ports.machine, world)) })
}

function over(inner: StateMachine, part: Partial<StateMachine>): StateMachine {
  return {
    get applied() {
      return part.applied ?? inner.applied
    },
    get configuration() {
      return part.configuration ?? inner.configuration
    },
    apply: part.apply ?? ((entries, configured) => inner.apply(entries, configured)),
    snapshot: part.snapshot ?? (() => inner.snapshot()),
    install: part.install ?? ((meta) => inner.install(meta)),
  }
}
