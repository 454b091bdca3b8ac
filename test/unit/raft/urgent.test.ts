import { expect } from 'chai'
import { isCommitNotice, isForwarded, isUrgent } from '../../../wasm/raft/urgent.ts'

const [PROPOSE, APPEND, APPEND_RESPONSE, HEARTBEAT, READ_INDEX] = [2, 3, 4, 8, 15]
/** The fields of eraftpb's Message in their order: type, to, from, term, log_term, index, entries, commit. */
const message = (type: number, { entries = [] as number[][], commit = 1 } = {}) =>
  Uint8Array.from([
    0x08,
    type,
    0x10,
    2,
    0x18,
    1,
    0x20,
    0x96,
    0x01,
    0x28,
    3,
    0x30,
    0x80,
    0x80,
    0x04,
    ...entries.flatMap((entry) => [0x3a, entry.length, ...entry]),
    ...(commit > 0 ? [0x40, commit] : []),
  ])

describe('what a message of the engine is for', () => {
  it('a commit notice is an append that has no entries', () => {
    expect(isCommitNotice(message(APPEND))).to.equal(true)
    expect(isCommitNotice(message(APPEND, { entries: [[0x18, 9]] }))).to.equal(false)
    // A commit index of 0 is not written: nothing is told.
    expect(isCommitNotice(message(APPEND, { commit: 0 }))).to.equal(false)
    for (const type of [PROPOSE, APPEND_RESPONSE, HEARTBEAT, READ_INDEX])
      expect(isCommitNotice(message(type)), String(type)).to.equal(false)
  })

  it('what is handed on is a proposal or a question', () => {
    const handedOn = [PROPOSE, READ_INDEX, APPEND, HEARTBEAT].filter((type) => isForwarded(message(type)))
    expect(handedOn).to.deep.equal([PROPOSE, READ_INDEX])
  })

  it('no bytes are too few or too odd', () => {
    for (const bytes of [[], [8], [8, 3], [8, 3, 0x10], [8, 3, 0xff, 0xff], [8, 3, 0x10, 0x80]]) {
      const odd = Uint8Array.from(bytes)
      expect([isCommitNotice(odd), isForwarded(odd), isUrgent(odd)]).to.deep.equal([false, false, false])
    }
  })
})
