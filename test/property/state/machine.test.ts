import { expect } from 'chai'
import * as fc from 'fast-check'
import type { Configuration, Entry } from '../../../consensus/cell/engine.ts'
import {
  applyEntries,
  applyEntry,
  commandCodec,
  entries as entriesOf,
  fromSorted,
  initialState,
  members,
  root,
  stateOf,
  type State,
} from '../../../consensus/state/index.ts'
import { bytes, commandOf, peer, type Body } from '../../unit/state/cell.ts'
import { cidOf } from '../../unit/state/pins.ts'

const peerId = fc.constantFrom('A', 'B', 'C', 'D', 'E').map(peer)
const small = fc.nat(3)
const cid = fc.nat(30).map(cidOf)
const body: fc.Arbitrary<Body> = fc.oneof(
  fc.record({ type: fc.constant('member-join' as const), peerId, incarnation: small.map((value) => bytes(value)) }),
  fc.record({ type: fc.constant('member-promoted' as const), raftId: fc.integer({ min: 1, max: 12 }) }),
  fc.record({
    type: fc.constant('member-remove' as const),
    peerId,
    reason: fc.string({ unit: 'grapheme', maxLength: 9 }),
  }),
  fc.record({
    type: fc.constant('certificate-issue' as const),
    ticket: fc.record({
      issuer: peerId,
      nonce: small.map((value) => bytes(value)),
      uses: fc.constant(2),
      expires: fc.nat(10_000),
    }),
    subject: peerId,
    issuer: peerId,
    certificate: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    name: fc.constantFrom('a', 'b', 'é/', '春'),
  }),
  fc.record({
    type: fc.constant('certificate-revoke' as const),
    peerId: fc.constantFrom(peer('D'), peer('E')),
    by: peerId,
    reason: fc.constant(''),
  }),
  fc.record({
    type: fc.constant('label-set' as const),
    peerId,
    key: fc.constantFrom('a', 'b', 'c'),
    value: fc.option(fc.string({ maxLength: 20 })),
  }),
  fc.record({ type: fc.constant('member-drain' as const), peerId, on: fc.boolean() }),
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('pin-set' as const),
      pins: fc.array(fc.record({ cid, owner: peerId, max: fc.integer({ min: 1, max: 4 }) }), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
  },
  fc.record({ type: fc.constant('pin-unset' as const), cid }),
  fc.record({
    type: fc.constant('epoch-attest' as const),
    epoch: fc.nat(40),
    t: fc.option(fc.tuple(small, small)),
  }),
  fc.record({ type: fc.constant('member-leaving' as const), peerId, until: small }),
  fc.constant({ type: 'noop' as const }),
)

const data = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .record({ body, client: small, sequence: fc.nat(700), time: fc.nat(20_000_000) })
      .map(({ body, client, sequence, time }) =>
        commandCodec.encode(commandOf(body, { session: { client: `c${client}`, opened: 0, sequence }, time })),
      ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }) },
)
const history = fc
  .array(data, { minLength: 1000, maxLength: 1000 })
  .map((all): Entry[] =>
    all.map((data, at) => ({ index: at + 1, term: 1, kind: at % 97 === 96 ? 'change' : 'normal', data })),
  )
const configured = new Map<number, Configuration>(
  Array.from({ length: 11 }, (_, at) => [
    (at + 1) * 97,
    { voters: [1, at + 2], learners: [], votersOutgoing: [], learnersNext: [] },
  ]),
)
const attestedRoot = ({ attested }: State) => attested && [attested.index, root(attested.tree).toString()]
const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 })

/** Applies a history in batches, and keeps beside it what a disk would. */
function replay(
  entries: readonly Entry[],
  cuts: readonly number[],
  between: (state: State) => State = (state) => state,
) {
  let state = initialState()
  const disk = new Map(entriesOf(state.tree))
  const results = []
  for (let from = 0, turn = 0; from < entries.length; turn++) {
    const length = cuts[turn % cuts.length]!
    const batch = applyEntries(state, entries.slice(from, from + length), configured)
    expect(batch.halt).to.equal(undefined)
    for (const [key, value] of batch.changes) {
      if (value === null) disk.delete(key)
      else disk.set(key, value)
    }
    results.push(...batch.applied)
    state = between(batch.state)
    from += length
  }
  return { state, results, disk: [...disk].sort(([a], [b]) => (a < b ? -1 : 1)) }
}

describe('histories of 1000 commands', function () {
  this.timeout(240_000)

  it('end in one root and in the same results, however they are cut into batches, and across restarts', () => {
    fc.assert(
      fc.property(history, cuts, (history, cuts) => {
        const whole = replay(history, [1000])
        const cut = replay(history, cuts)
        const restarted = replay(history, cuts, ({ tree }) => stateOf(fromSorted(entriesOf(tree))))
        expect(root(cut.state.tree).toString()).to.equal(root(whole.state.tree).toString())
        expect(root(restarted.state.tree).toString()).to.equal(root(whole.state.tree).toString())
        expect(attestedRoot(cut.state)).to.deep.equal(attestedRoot(whole.state))
        expect(cut.results).to.deep.equal(whole.results)
        expect(restarted.results).to.deep.equal(whole.results)
      }),
      { numRuns: 15 },
    )
  })

  it('leave on a disk that follows the changes exactly what the tree holds', () => {
    fc.assert(
      fc.property(history, cuts, (history, cuts) => {
        const { state, disk } = replay(history, cuts)
        expect(root(fromSorted(disk)).equals(root(state.tree))).to.equal(true)
      }),
      { numRuns: 15 },
    )
  })

  it('with bytes changed at will are refused by a code or applied, and never break the machine', () => {
    const codes = ['E_COMMAND_MALFORMED', 'E_COMMAND_VERSION', 'E_COMMAND_STALE', 'E_COMMAND_ID']
    const flips = fc.array(fc.record({ at: fc.nat(), value: fc.nat(255) }), { minLength: 1, maxLength: 4 })
    const { state } = replay([], [1])
    fc.assert(
      fc.property(data, flips, (data, flips) => {
        const changed = flips.reduce(
          (bytes, { at, value }) => bytes.with(at % bytes.length, value),
          Uint8Array.of(...data, 0),
        )
        const { result, halt } = applyEntry(state, { index: 1, term: 1, kind: 'normal', data: changed.subarray(0, -1) })
        const code = result?.ok === false ? result.code : undefined
        if (halt !== undefined) expect(code).to.equal('E_COMMAND_VERSION')
        if (code?.startsWith('E_COMMAND')) expect(codes).to.include(code)
        if (changed.length === 1) expect(result).to.equal(undefined)
        else expect(result).to.have.property('ok')
      }),
      { numRuns: 20_000 },
    )
  })

  it('never give a raft id twice, keep names unique, and apply no command twice', () => {
    fc.assert(
      fc.property(history, (history) => {
        const { state, results } = replay(history, [64])
        const holders = new Map<number, string>()
        const first = new Map<string, unknown>()
        for (const { index, commandId, result } of results as {
          index: number
          commandId?: string
          result?: object
        }[]) {
          if (commandId === undefined) continue
          if ((result as { code?: string }).code === 'E_COMMAND_STALE') continue
          const known = first.get(commandId)
          expect(result).to.deep.equal(known ?? result)
          first.set(commandId, result)
          if (known !== undefined) continue
          const command = commandCodec.decode(history[index - 1]!.data)
          const { raftId } = result as { raftId?: number }
          if (command.type !== 'member-join' || raftId === undefined) continue
          const holder = `${command.peerId} ${command.incarnation.join()}`
          expect(holders.get(raftId) ?? holder).to.equal(holder)
          holders.set(raftId, holder)
        }
        for (const { id, peerId, incarnation } of members(state.tree))
          expect(holders.get(id)).to.equal(`${peerId} ${incarnation.join()}`)
        const held = (prefix: string) => [...entriesOf(state.tree, { prefix })].map(([, text]) => Buffer.from(text))
        const taken = held('named/').map(String)
        expect(new Set(taken).size).to.equal(taken.length)
        expect(held('name/')).to.have.length(taken.length)
      }),
      { numRuns: 15 },
    )
  })
})
