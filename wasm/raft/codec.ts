import { type ByteReader, ByteWriter } from './bytes.ts'
import type {
  Change,
  CommittedEntry,
  Configuration,
  EngineEffects,
  EngineInput,
  EngineStart,
  Entry,
  HardState,
  InMessage,
  OutMessage,
  RaftRole,
  SnapshotMeta,
} from './types.ts'

const CHANGES = { voter: 0, learner: 1, remove: 2 } as const
const ROLES: readonly RaftRole[] = ['follower', 'candidate', 'leader', 'precandidate']

/** The twin of `crates/raft/src/input.rs`. */
export function encodeInput(input: EngineInput, writer = new ByteWriter(4096)): ByteWriter {
  writer.begin()
  switch (input.type) {
    case 'tick':
      writer.byte(0)
      break
    case 'step':
      writer.byte(1).list(input.messages, writeMessage)
      break
    case 'propose':
      writer.byte(2).list(input.commands, writeBytes)
      break
    case 'change':
      writer.byte(3).list(input.changes, writeChange)
      writer.bytes(input.context)
      break
    case 'read':
      writer.byte(4).bytes(input.context)
      break
    case 'persisted':
      writer.byte(5).whole(input.number)
      break
    case 'applied':
      writer.byte(6).whole(input.index)
      break
    case 'configure':
      writer.byte(7).bytes(input.data)
      break
    case 'transfer':
      writer.byte(8).whole(input.to)
      break
    case 'campaign':
      writer.byte(9)
      break
    case 'unreachable':
      writer.byte(10).whole(input.id)
      break
    case 'snapshotSent':
      writer.byte(11).whole(input.id).byte(Number(input.ok))
      break
    case 'snapshot':
      writeSnapshot(writer.byte(12), input.meta)
      writer.whole(input.compact)
  }
  return writer
}

export function encodeStart(start: EngineStart): Uint8Array {
  const writer = new ByteWriter(4096)
  const { term, vote, commit } = start.hardState
  for (const value of [start.id, start.applied, start.electionTicks, start.heartbeatTicks, start.seed]) {
    writer.whole(value)
  }
  for (const value of [term, vote, commit]) writer.whole(value)
  writeConfiguration(writer, start.configuration)
  writeSnapshot(writer, start.snapshot)
  writer.list(start.entries, writeEntry)
  return writer.end()
}

function writeEntry(writer: ByteWriter, { index, term, kind, data }: Entry): void {
  writer
    .whole(index)
    .whole(term)
    .byte(Number(kind === 'change'))
    .bytes(data)
}

function writeChange(writer: ByteWriter, { kind, id }: Change): void {
  writer.byte(CHANGES[kind]).whole(id)
}

function writeMessage(writer: ByteWriter, { from, bytes, snapshot }: InMessage): void {
  writer
    .whole(from)
    .bytes(bytes)
    .byte(Number(snapshot !== undefined))
  if (snapshot !== undefined) writer.whole(snapshot.index).bytes(snapshot.root)
}

function writeConfiguration(writer: ByteWriter, configuration: Configuration): void {
  const { voters, learners, votersOutgoing, learnersNext } = configuration
  for (const ids of [voters, learners, votersOutgoing, learnersNext]) writer.list(ids, writeWhole)
}

function writeWhole(writer: ByteWriter, value: number): void {
  writer.whole(value)
}

function writeBytes(writer: ByteWriter, value: Uint8Array): void {
  writer.bytes(value)
}

function writeSnapshot(writer: ByteWriter, { index, term, configuration, root }: SnapshotMeta): void {
  writeConfiguration(writer.whole(index).whole(term), configuration)
  writer.bytes(root)
}

/** The twin of `crates/raft/src/effects.rs`. */
export function decodeEffects(reader: ByteReader): EngineEffects {
  return {
    number: reader.whole(),
    messages: reader.list(readMessage),
    persistedMessages: reader.list(readMessage),
    entries: reader.list(readEntry),
    hardState: reader.option(readHardState),
    snapshot: reader.option(readSnapshot),
    committed: reader.list(readCommitted),
    reads: reader.list(readAnswer),
    status: readStatus(reader),
    configuration: reader.option(readConfiguration),
    refused: reader.whole(),
  }
}

function readStatus(reader: ByteReader): EngineEffects['status'] {
  const role = ROLES[reader.byte()] ?? 'follower'
  // A list of four: its length says nothing.
  reader.count()
  const [leader, term, commit, lastIndex] = [reader.whole(), reader.whole(), reader.whole(), reader.whole()]
  return { role, leader, term, commit, lastIndex, progress: reader.list(readProgress) }
}

function readProgress(reader: ByteReader): EngineEffects['status']['progress'][number] {
  return { id: reader.whole(), match: reader.whole(), active: reader.byte() === 1 }
}

function readHardState(reader: ByteReader): HardState {
  reader.count()
  return { term: reader.whole(), vote: reader.whole(), commit: reader.whole() }
}

function readMessage(reader: ByteReader): OutMessage {
  return { to: reader.whole(), bytes: reader.bytes(), snapshot: reader.option(readSnapshot) }
}

function readEntry(reader: ByteReader): Entry {
  const [index, term] = [reader.whole(), reader.whole()]
  return { index, term, kind: reader.byte() === 1 ? 'change' : 'normal', data: reader.bytes() }
}

function readCommitted(reader: ByteReader): CommittedEntry {
  const { index, term, kind, data } = readEntry(reader)
  return { index, term, kind, data, context: reader.bytes() }
}

function readAnswer(reader: ByteReader): EngineEffects['reads'][number] {
  return { index: reader.whole(), context: reader.bytes() }
}

function readSnapshot(reader: ByteReader): SnapshotMeta {
  const [index, term] = [reader.whole(), reader.whole()]
  return { index, term, configuration: readConfiguration(reader), root: reader.bytes() }
}

function readConfiguration(reader: ByteReader): Configuration {
  return {
    voters: readWholes(reader),
    learners: readWholes(reader),
    votersOutgoing: readWholes(reader),
    learnersNext: readWholes(reader),
  }
}

function readWholes(reader: ByteReader): number[] {
  return reader.list(readWhole)
}

function readWhole(reader: ByteReader): number {
  return reader.whole()
}
