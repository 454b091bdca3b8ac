import type { CommittedEntry, Engine, EngineEffects, EngineInput, EngineStart } from '../../../consensus/cell/engine.ts'
import { decodeCommand } from '../commands.ts'
import type { Mutant } from '../member.ts'

/** Defects of what drives the engine, planted between the two. */
export const DRIVER_MUTANTS: readonly Mutant[] = [
  {
    name: 'send-before-durable',
    what: 'votes and acks go out before the write that they promise',
    ports: engine((inner) => (input) => {
      const effects = inner.input(input)
      const { messages, persistedMessages } = effects
      return { ...effects, messages: [...messages, ...persistedMessages], persistedMessages: [] }
    }),
  },
  {
    name: 'persisted-too-early',
    what: 'the engine hears that a write is durable when it is only given',
    ports: engine((inner) => (input) => {
      const first = inner.input(input)
      if (first.number === 0) return first
      return merged(first, inner.input({ type: 'persisted', number: first.number }))
    }),
  },
  {
    name: 'apply-before-commit',
    what: 'a leader applies what it has just appended',
    ports: engine((inner) => (input) => {
      const effects = inner.input(input)
      if (effects.status.role !== 'leader' || effects.committed.length > 0) return effects
      const committed = effects.entries.map((entry): CommittedEntry => ({ ...entry, context: new Uint8Array() }))
      return { ...effects, committed: committed.filter(({ kind }) => kind === 'normal') }
    }),
  },
  {
    name: 'ack-before-commit',
    what: 'a command is answered when it is accepted',
    member: (member) => ({
      ...member,
      execute: async (id, data) => {
        void member.execute(id, data)
        return { kind: 'done', result: decodeCommand(data).kind === 'get' ? 0 : 1 }
      },
    }),
  },
  {
    name: 'read-without-index',
    what: 'a read looks at the local state without asking the leader',
    member: (member) => ({ ...member, readable: async () => true }),
  },
  {
    name: 'read-at-own-commit',
    what: "a read takes the node's own commit index for the leader's",
    ports: engine((inner, { id }) => (input) => {
      if (input.type !== 'read') return inner.input(input)
      const effects = inner.input({ type: 'unreachable', id })
      return { ...effects, reads: [...effects.reads, { index: effects.status.commit, context: input.context }] }
    }),
  },
  {
    name: 'read-before-applied',
    what: 'a read does not wait until its index is applied',
    ports: engine((inner) => (input) => {
      const effects = inner.input(input)
      return { ...effects, reads: effects.reads.map(({ context }) => ({ index: 0, context })) }
    }),
  },
  {
    name: 'reuse-read-contexts',
    what: 'a read joins a question that was asked before it',
    ports: engine((inner, { id }) => {
      const waiting: Uint8Array[] = []
      const shared = new Uint8Array([id])
      return (input) => {
        const isAsked = waiting.length > 0
        if (input.type === 'read') waiting.push(input.context)
        const question: EngineInput = isAsked ? { type: 'unreachable', id } : { type: 'read', context: shared }
        const effects = inner.input(input.type === 'read' ? question : input)
        const index = effects.reads[0]?.index
        if (index === undefined) return effects
        return { ...effects, reads: waiting.splice(0).map((context) => ({ index, context })) }
      }
    }),
  },
  {
    name: 'refuse-after-proposing',
    what: 'a command that may have taken effect is called refused',
    member: (member) => ({
      ...member,
      execute: async (id, data) => {
        const answer = await member.execute(id, data)
        return answer.kind === 'unknown' ? { kind: 'refused' } : answer
      },
    }),
  },
  {
    name: 'configure-late',
    what: 'a change of the configuration never reaches the engine',
    ports: engine((inner, { configuration }) => (input) => {
      if (input.type !== 'configure') return inner.input(input)
      return { ...NOTHING, configuration, status: NOTHING.status }
    }),
  },
]

const NOTHING: EngineEffects = {
  number: 0,
  messages: [],
  persistedMessages: [],
  entries: [],
  hardState: undefined,
  snapshot: undefined,
  committed: [],
  reads: [],
  status: { role: 'follower', leader: 0, term: 0, commit: 0, lastIndex: 0, progress: [] },
  configuration: undefined,
  refused: 0,
}

function engine(
  make: (inner: Engine, start: EngineStart) => (input: EngineInput) => EngineEffects,
): NonNullable<Mutant['ports']> {
  return (ports) => ({
    ...ports,
    createEngine: (start) => {
      const inner = ports.createEngine(start)
      return { input: make(inner, start), free: () => inner.free() }
    },
  })
}

function merged(a: EngineEffects, b: EngineEffects): EngineEffects {
  return {
    number: Math.max(a.number, b.number),
    messages: [...a.messages, ...b.messages],
    persistedMessages: [...a.persistedMessages, ...b.persistedMessages],
    entries: [...a.entries, ...b.entries],
    hardState: b.hardState ?? a.hardState,
    snapshot: b.snapshot ?? a.snapshot,
    committed: [...a.committed, ...b.committed],
    reads: [...a.reads, ...b.reads],
    status: b.status,
    configuration: b.configuration ?? a.configuration,
    refused: a.refused + b.refused,
  }
}
