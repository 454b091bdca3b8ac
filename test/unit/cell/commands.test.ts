import { expect } from 'chai'
import { MAX_SESSIONS, SESSION_WINDOW } from '../../../consensus/state/index.ts'
import { Commands } from '../../../node/cell/commands.ts'
import { CodedError, codeOf } from '../../../protocols/shared/errors.ts'
import { peer, Replica } from '../state/cell.ts'
import { cidOf } from '../state/pins.ts'

const noop = { type: 'noop' } as const
const codeFrom = (promise: Promise<unknown>) => promise.then(() => undefined, codeOf)

/** A cell of one that agrees at once; its member has applied nothing before its first read. */
class FakeCell {
  readonly replica = new Replica()
  applied = 0
  reads = 0
  problem: CodedError | undefined

  async read(): Promise<void> {
    this.reads += 1
    if (this.problem !== undefined) throw this.problem
    this.applied = this.replica.state.applied.index
  }

  async propose(_id: string, command: Uint8Array) {
    const { result, commandId } = this.replica.apply(command)
    this.applied = this.replica.state.applied.index
    return { index: this.applied, commandId, result }
  }

  /** Others come and go until one more session forgets the oldest. */
  others(count: number): void {
    for (let client = 0; client < count; client++) {
      const opened = this.replica.state.applied.index
      this.replica.command(noop, { session: { client: `other${opened}`, opened, sequence: 1 } })
    }
  }
}

describe('cell: the commands of a node', () => {
  it('a node that joins after many sessions were forgotten is no stale one', async () => {
    const cell = new FakeCell()
    cell.others(MAX_SESSIONS + 10)
    const commands = new Commands(cell, () => undefined)
    expect(await codeFrom(commands.submit(noop))).to.equal(undefined)
  })

  it('a node whose session was forgotten is told once, and goes on under another', async () => {
    const cell = new FakeCell()
    const commands = new Commands(cell, () => undefined)
    await commands.submit(noop)
    cell.others(MAX_SESSIONS + 10)
    expect(await codeFrom(commands.submit(noop))).to.equal('E_OUTCOME_UNKNOWN')
    expect(await codeFrom(commands.submit(noop))).to.equal(undefined)
  })

  it('one that takes long is not refused for those that overtake it, however many they are', async () => {
    const cell = new FakeCell()
    const commands = new Commands(cell, () => undefined)
    const [held, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const propose = cell.propose.bind(cell)
    cell.propose = async (id, command) => {
      cell.propose = propose
      held.resolve()
      await released.promise
      return propose(id, command)
    }
    const first = commands.submit(noop)
    await held.promise
    for (let at = 0; at < 3 * SESSION_WINDOW; at += 64)
      await Promise.all(Array.from({ length: 64 }, () => commands.submit(noop)))
    released.resolve()
    expect(await codeFrom(first)).to.equal(undefined)
    expect(cell.reads, 'as few sessions as it takes').to.be.at.most(2)
  })

  it('a refusal says what was wanted, what there is, and which of many it is about', async () => {
    const commands = new Commands(new FakeCell(), () => undefined)
    const owner = peer('A')
    const none = { cid: cidOf(1), owner }
    const messageOf = (pins: object[]) =>
      commands.submit({ type: 'pin-set', pins: pins as never }).then(
        () => '',
        ({ message }: Error) => message,
      )
    expect(await messageOf([none])).to.match(/wants 1 copy, and no member can hold one\.$/)
    await commands.submit({ type: 'member-join', peerId: owner, incarnation: new Uint8Array(16) })
    expect(await messageOf([none, { ...none, cid: cidOf(2), min: 3 }])).to.match(
      /wants 3 copies, and only 1 member or failure domain can hold one\. \(number 2 of the command\)$/,
    )
  })

  it('one session serves all commands, however many begin together', async () => {
    const cell = new FakeCell()
    const commands = new Commands(cell, () => undefined)
    await Promise.all(Array.from({ length: 50 }, () => commands.submit(noop)))
    await commands.submit(noop)
    expect(cell.reads).to.equal(1)
  })

  it('without a quorum no session begins; the next command tries again', async () => {
    const cell = new FakeCell()
    cell.problem = new CodedError('E_NO_QUORUM', 'nobody')
    const commands = new Commands(cell, () => undefined)
    expect(await codeFrom(commands.submit(noop))).to.equal('E_NO_QUORUM')
    expect(cell.replica.state.applied.index).to.equal(0)
    cell.problem = undefined
    expect(await codeFrom(commands.submit(noop))).to.equal(undefined)
  })
})
