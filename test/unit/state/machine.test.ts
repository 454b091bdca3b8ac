import { encode } from '@ipld/dag-cbor'
import { expect } from 'chai'
import {
  applyEntry,
  CHECKPOINT_INTERVAL,
  commandCodec,
  configurationOf,
  EMPTY,
  fromSorted,
  initialState,
  MAX_COMMAND_BYTES,
  MAX_ENTRIES,
  MAX_SESSIONS,
  root,
  SESSION_WINDOW,
  set,
  size,
  stateOf,
} from '../../../consensus/state/index.ts'
import { TreeNode } from '../../../consensus/state/tree-node.ts'
import { bytes, commandOf, peer, Replica } from './cell.ts'
import { cidOf } from './pins.ts'

const noop = { type: 'noop' } as const
const label = (value: string | null) => ({ type: 'label-set', peerId: peer('A'), key: 'k', value }) as const
const join = { type: 'member-join', peerId: peer('A'), incarnation: bytes(1) } as const

describe('the state of a cell', () => {
  it('begins alike everywhere, with the founder as the only voter', () => {
    expect(root(initialState().tree).toString()).to.equal('bafyreifvzm553qwltzsq2jfupmumuy7qj4mv3zv6oxc3t5o54lg5sovn5a')
    expect(configurationOf(initialState().tree).voters).to.deep.equal([1])
  })

  it('is read back from its tree alone', () => {
    const replica = new Replica()
    replica.run(label('v'), 7000)
    expect(stateOf(replica.tree).applied).to.deep.equal({ index: 1, term: 1, time: 7000 })
    expect(stateOf(replica.tree).applied).to.deep.equal(replica.state.applied)
  })

  it('of another format, or no state at all, is refused', () => {
    for (const tree of [EMPTY, set(initialState().tree, 'meta/format', encode(2))])
      expect(() => stateOf(tree))
        .to.throw()
        .with.property('code', 'E_STATE_FORMAT')
  })

  it('tells every write of an entry, each key once, so that a store can follow', () => {
    const replica = new Replica()
    replica.run(join)
    const before = replica.tree
    const { changes } = replica.command(label('v'))
    const keys = changes.map(({ key }) => key)
    expect(keys).to.include.members(['meta/applied', `label/${peer('A')}/k`, 'session/tester/0002'])
    expect(new Set(keys).size).to.equal(keys.length)
    const followed = changes.reduce((tree, { key, value }) => set(tree, key, value!), before)
    expect(root(followed).equals(root(replica.tree))).to.equal(true)
    expect(replica.command(label(null)).changes).to.deep.include({ key: `label/${peer('A')}/k`, value: null })
  })

  it('takes entries in their order only, and a change only with its configuration', () => {
    const replica = new Replica()
    const { state } = replica
    expect(applyEntry(state, { ...replica.entry(bytes(1)), index: 2 }).halt).to.equal('E_STATE_ORDER')
    const outcome = applyEntry(state, { ...replica.entry(bytes(1)), kind: 'change' })
    expect(outcome.halt).to.equal('E_STATE_ORDER')
    expect(outcome.state).to.equal(state)
  })

  it("counts a leader's empty entry and a change, and keeps the configuration in order of ids", () => {
    const replica = new Replica()
    expect(replica.apply(new Uint8Array()).result).to.equal(undefined)
    replica.configure({ voters: [3, 1, 2] })
    expect(replica.state.applied.index).to.equal(2)
    expect(configurationOf(replica.tree).voters).to.deep.equal([1, 2, 3])
  })

  it('that is full takes no more, but still shuts out whom it must, and forgets', () => {
    const replica = new Replica()
    replica.run(join)
    // Counted as if it were full: one node of ten thousand entries hangs in many places behind the real ones.
    const many = fromSorted(Array.from({ length: 10_000 }, (_, at) => [`~${at + 10_000}`, bytes(0, 0)] as const)).top
    const keys = Array.from({ length: 200 }, (_, at) => `~${at + 100}`)
    const values = keys.map(() => bytes(0, 0))
    const top = new TreeNode(60, keys, values, [replica.tree.top, ...keys.map(() => many)])
    replica.state = { ...replica.state, tree: { top } }
    expect(size(replica.tree)).to.be.greaterThan(MAX_ENTRIES - 131_072)
    expect(replica.run(label('w'))).to.deep.equal({ ok: false, code: 'E_STATE_FULL' })
    const more = { type: 'pin-set', pins: [{ cid: cidOf(1), owner: peer('A') }] } as const
    expect(replica.run({ ...more, pins: [...more.pins] })).to.deep.equal({ ok: false, code: 'E_STATE_FULL' })
    const unset = { type: 'pin-unset', cid: cidOf(1) } as const
    expect(replica.run(unset)).to.deep.equal({ ok: false, code: 'E_PIN_UNKNOWN' })
    expect(replica.run(label(null))).to.deep.equal({ ok: true })
    const revoke = { type: 'certificate-revoke', peerId: peer('B'), by: peer('A'), reason: 'stolen' } as const
    expect(replica.run(revoke)).to.deep.equal({ ok: true })
  })

  it('never lets time go back', () => {
    const replica = new Replica()
    replica.run(noop, 5000)
    replica.run(noop, 3000)
    replica.apply(new Uint8Array())
    expect(replica.state.applied.time).to.equal(5000)
  })
})

describe('bytes that are no command of this release', () => {
  const valid = commandOf(noop)
  const strange: [string, Uint8Array][] = [
    ['garbage', bytes(0xff)],
    ['an unknown type of version 1', encode({ ...valid, type: 'pin-add' })],
    ['a field too many', encode({ ...valid, more: 1 })],
    ['a value out of range', encode({ ...valid, time: -1 })],
    ['version 0', encode({ ...valid, v: 0 })],
    ['a command of version 1 under version 2', encode({ ...valid, v: 2 })],
    ['a command of version 2 under version 1', encode({ ...valid, type: 'epoch-attest', epoch: 1, t: null })],
    ['a version that is no number', encode({ ...valid, v: '2' })],
    ['a frame over the limit', new Uint8Array(MAX_COMMAND_BYTES + 1)],
    ['a text with control characters', encode({ ...commandOf(label('')), value: 'a\u0007' })],
  ]
  for (const [name, data] of strange)
    it(`${name}: refused alike by every release, and the log goes on`, () => {
      const replica = new Replica()
      const { result, halt, commandId } = replica.apply(data)
      expect({ result, halt, commandId }).to.deep.equal({
        result: { ok: false, code: 'E_COMMAND_MALFORMED' },
        halt: undefined,
        commandId: undefined,
      })
      expect(replica.state.applied.index).to.equal(1)
    })

  it('a later version: the node stops with its state as it was, since its neighbours may know what it means', () => {
    const replica = new Replica()
    const before = replica.state
    const { result, halt, changes } = replica.apply(encode({ v: 3, type: 'pin-add', pin: [1, { deep: true }] }))
    expect(halt).to.equal('E_COMMAND_VERSION')
    expect(result).to.deep.equal({ ok: false, code: 'E_COMMAND_VERSION' })
    expect(changes).to.deep.equal([])
    expect(replica.state).to.equal(before)
  })
})

describe('retried commands (Ongaro §6.3)', () => {
  const named = (name: string) =>
    ({
      type: 'certificate-issue',
      ticket: { issuer: peer('i'), nonce: bytes(name.charCodeAt(0)), uses: 9, expires: 10_000 },
      name,
      subject: peer(name),
      issuer: peer('i'),
      certificate: bytes(1),
    }) as const
  const at = (sequence: number, client = 'c', opened = 0) => ({ session: { client, opened, sequence } })

  it('give the first result again and change nothing', () => {
    const replica = new Replica()
    expect(replica.command(join, at(1)).result).to.deep.equal({ ok: true, raftId: 1 })
    replica.command({ type: 'label-set', peerId: peer('A'), key: 'k', value: 'one' }, at(2))
    replica.command({ type: 'label-set', peerId: peer('A'), key: 'k', value: 'two' }, at(3))
    const again = replica.command({ type: 'label-set', peerId: peer('A'), key: 'k', value: 'one' }, at(2))
    expect(again.result).to.deep.equal({ ok: true })
    expect(again.commandId).to.equal('c/2')
    expect(again.changes.map(({ key }) => key)).to.deep.equal(['meta/applied'])
    expect(replica.command(join, at(1)).result).to.deep.equal({ ok: true, raftId: 1 })
  })

  it('give a refusal again, though by now it would be granted', () => {
    const replica = new Replica()
    replica.command(named('a'), at(1))
    const other = { ...named('a'), subject: peer('B') }
    expect(replica.command(other, at(2)).result).to.deep.equal({ ok: false, code: 'E_NAME_TAKEN' })
    replica.command(named('b'), at(3))
    replica.command({ ...named('c'), subject: peer('a') }, at(4))
    expect(replica.command(other, at(2)).result).to.deep.equal({ ok: false, code: 'E_NAME_TAKEN' })
    expect(replica.command(other, at(5)).result?.ok).to.equal(true)
  })

  it('are taken in any order within the window', () => {
    const replica = new Replica()
    for (const sequence of [5, 1, 4, 2, 3]) expect(replica.command(noop, at(sequence)).result?.ok).to.equal(true)
  })

  it('are stale once a later command has taken their place', () => {
    const replica = new Replica()
    for (let sequence = 1; sequence <= SESSION_WINDOW + 1; sequence++) replica.command(noop, at(sequence))
    expect(replica.command(noop, at(1)).result).to.deep.equal({ ok: false, code: 'E_COMMAND_STALE' })
    expect(replica.command(noop, at(2)).result).to.deep.equal({ ok: true })
  })

  it('that are in truth another command under the same number are refused', () => {
    const replica = new Replica()
    replica.command(noop, at(1))
    expect(replica.command(noop, { ...at(1), id: 'another' }).result).to.deep.equal({ ok: false, code: 'E_COMMAND_ID' })
  })

  it('of a session that was forgotten are stale for good: the one least lately used goes first', () => {
    const replica = new Replica()
    for (let client = 0; client < MAX_SESSIONS; client++) replica.command(noop, at(1, `c${client}`))
    // `c0` is used again, far enough on for it to be noted.
    for (let entry = 0; entry < 1100; entry++) replica.apply(new Uint8Array())
    replica.command(noop, at(2, 'c0'))
    const opened = replica.state.applied.index
    expect(replica.command(noop, at(1, 'new', opened)).result).to.deep.equal({ ok: true })
    expect(replica.command(noop, at(1, 'c1')).result).to.deep.equal({ ok: false, code: 'E_COMMAND_STALE' })
    expect(replica.command(noop, at(2, 'c1')).result).to.deep.equal({ ok: false, code: 'E_COMMAND_STALE' })
    expect(replica.command(noop, at(3, 'c0')).result).to.deep.equal({ ok: true })
    expect(replica.command(noop, at(2, 'c2')).result).to.deep.equal({ ok: true })
  })

  it('cannot come from a session that says it was opened later than now', () => {
    const result = new Replica().command(noop, at(1, 'c', 1)).result
    expect(result).to.deep.equal({ ok: false, code: 'E_COMMAND_MALFORMED' })
  })
})

describe('checkpoints', () => {
  const until = (index: number) => {
    const replica = new Replica()
    for (let entry = 0; entry < index; entry++) replica.apply(new Uint8Array())
    return replica
  }

  it('agree where the states do, and stop the node where they do not', () => {
    const replica = until(CHECKPOINT_INTERVAL)
    const [mark] = replica.state.marks
    expect(mark?.index).to.equal(CHECKPOINT_INTERVAL)
    const checkpoint = { type: 'checkpoint', index: CHECKPOINT_INTERVAL, root: root(replica.tree).bytes } as const
    replica.run(label('later'))
    expect(replica.command(checkpoint).halt).to.equal(undefined)
    const before = replica.state
    const outcome = replica.command({ ...checkpoint, root: root(EMPTY).bytes })
    expect(outcome.halt).to.equal('E_STATE_DIVERGED')
    expect(outcome.state).to.equal(before)
  })

  it('leave the same state whether the node could compare or has just started', () => {
    const replica = until(CHECKPOINT_INTERVAL)
    const body = { type: 'checkpoint', index: CHECKPOINT_INTERVAL, root: root(replica.tree).bytes } as const
    const data = commandCodec.encode(commandOf(body))
    const restarted = applyEntry(stateOf(replica.tree), replica.entry(data))
    expect(restarted.result).to.deep.equal(replica.apply(data).result)
    expect(root(restarted.state.tree).equals(root(replica.tree))).to.equal(true)
  })
})
