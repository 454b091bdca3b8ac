import type { Log, LogStart, LogWrite } from '../../../consensus/cell/ports.ts'
import type { MemberPorts, Mutant, MutantWorld } from '../member.ts'

/** Defects of the durable log. */
export const LOG_MUTANTS: readonly Mutant[] = [
  {
    name: 'skip-fsync',
    what: 'a write counts as durable before the disk has it',
    ports: append((log) => async (write) => {
      log.append(write).catch(() => undefined)
    }),
  },
  {
    name: 'drop-hard-state',
    what: 'term and vote are never written',
    ports: append((log) => (write) => log.append({ ...write, hardState: undefined })),
  },
  {
    name: 'drop-vote',
    what: 'the term is written without the vote',
    ports: append(
      (log) => (write) => log.append({ ...write, hardState: write.hardState && { ...write.hardState, vote: 0 } }),
    ),
  },
  {
    name: 'ignore-suffix-replacement',
    what: 'entries that are there already stay, though a leader replaces them',
    ports: append((log, { disk }) => (write) => {
      const entries = write.entries.filter(({ index }) => index > disk.last)
      return log.append({ ...write, entries })
    }),
  },
  {
    name: 'reorder-log-writes',
    what: "a write's entries reach the disk with the next write",
    ports: append((log) => {
      let held: LogWrite['entries'] = []
      return (write) => {
        const entries = held
        held = write.entries
        return log.append({ ...write, entries })
      }
    }),
  },
  {
    name: 'ignore-failed-fsync',
    what: 'a write that failed counts as durable',
    ports: append((log) => (write) => log.append(write).catch(() => undefined)),
  },
  {
    name: 'snapshot-drops-tail',
    what: "a node's own snapshot takes the entries after it along",
    ports: append((log, { disk }) => async (write) => {
      await log.append(write)
      if (write.snapshot !== undefined) disk.image.entries = []
    }),
  },
  {
    name: 'compact-beyond-snapshot',
    what: 'two entries more than the snapshot holds are forgotten',
    ports: append((log) => (write) => {
      const { snapshot } = write
      return log.append({ ...write, snapshot: snapshot && { ...snapshot, index: snapshot.index + 2 } })
    }),
  },
  {
    name: 'forget-last-entry',
    what: 'a restart loses the last synced entry',
    ports: read((log) => async () => {
      const start = await log.read()
      return { ...start, entries: start.entries.slice(0, -1) }
    }),
  },
  {
    name: 'wrong-vote-on-restart',
    what: 'a restart forgets whom the node voted for',
    ports: read((log) => async () => {
      const start = await log.read()
      return { ...start, hardState: { ...start.hardState, vote: 0 } }
    }),
  },
  {
    name: 'old-term-on-restart',
    what: 'a restart falls back by a term',
    ports: read((log) => async () => {
      const start = await log.read()
      const last = start.entries.at(-1)?.term ?? start.snapshot.term
      return { ...start, hardState: { ...start.hardState, term: Math.max(last, start.hardState.term - 1), vote: 0 } }
    }),
  },
  {
    name: 'accept-torn-tail',
    what: 'a batch that the crash cut is taken as whole',
    ports: read((log, { disk }) => async () => {
      const start = await log.read()
      const torn = disk.image.torn
      if (torn === undefined) return start
      return { ...start, entries: spliced(start, torn) }
    }),
  },
  {
    name: 'skip-checksums',
    what: 'a flipped bit is not noticed',
    ports: read((_log, { disk }) => async () => {
      const { hardState, snapshot, entries } = disk.image
      return { hardState, snapshot, entries: entries.map(({ entry }) => entry) }
    }),
  },
]

type Ports = NonNullable<Mutant['ports']>

function append(make: (log: Log, world: MutantWorld) => Log['append']): Ports {
  return (ports, world) => withLog(ports, { read: () => ports.log.read(), append: make(ports.log, world) })
}

function read(make: (log: Log, world: MutantWorld) => Log['read']): Ports {
  return (ports, world) => withLog(ports, { read: make(ports.log, world), append: (write) => ports.log.append(write) })
}

function withLog(ports: MemberPorts, log: Log): MemberPorts {
  return { ...ports, log }
}

function spliced({ entries, snapshot }: LogStart, torn: LogWrite): LogStart['entries'] {
  const first = torn.entries[0]!.index
  if (first > (entries.at(-1)?.index ?? snapshot.index) + 1) return entries
  return [...entries.filter(({ index }) => index < first), ...torn.entries]
}
