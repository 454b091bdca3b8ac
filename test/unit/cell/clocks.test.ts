import { expect } from 'chai'
import { setTimeout as delay } from 'node:timers/promises'
import { commandCodec, type Command } from '../../../consensus/state/index.ts'
import { aheadBy, MAX_AHEAD_MS } from '../../../node/cell/clocks.ts'
import { proposedIn } from '../../../wasm/raft/proposals.ts'
import { isForwarded } from '../../../wasm/raft/urgent.ts'
import { Members } from '../consensus/members.ts'

const NOW = Date.UTC(2026, 0, 1)

const commandAt = (time: number, sequence = 1) =>
  commandCodec.encode({
    v: 1,
    id: `c.${sequence}`,
    session: { client: 'c', opened: 0, sequence },
    time,
    type: 'noop',
  } as Command)

describe('cell: the clocks of its members', () => {
  let members: Members
  afterEach(() => members.stop())

  /** What a follower of a real engine hands on, of the commands that it is asked for at once. */
  async function forwarded(...commands: Uint8Array[]): Promise<Uint8Array> {
    members = new Members([1, 2])
    const cells = [await members.start(1), await members.start(2)]
    while (cells.every(({ status }) => status.role !== 'leader') || cells.some(({ status }) => status.leader === 0))
      await delay(2)
    const follower = cells.find(({ status }) => status.role !== 'leader')!
    const leader = cells.find((cell) => cell !== follower)!
    const receive = leader.receive.bind(leader)
    const found = Promise.withResolvers<Uint8Array>()
    leader.receive = (messages) => {
      for (const { bytes } of messages) if (isForwarded(bytes)) found.resolve(bytes)
      return receive(messages)
    }
    await Promise.all(commands.map((command, at) => follower.propose(String(at), command, 300).catch(() => undefined)))
    return found.promise
  }

  it('every command that a follower hands on is seen', async () => {
    const commands = [commandAt(NOW), commandAt(NOW + 1, 2), new Uint8Array(20_000).fill(7)]
    expect(proposedIn(await forwarded(...commands))).to.deep.equal(commands)
  })

  it('commands of a member whose clock is years ahead are told from those of one that is a little off', async () => {
    const year = 365 * 86_400_000
    const message = await forwarded(commandAt(NOW + MAX_AHEAD_MS), commandAt(NOW + year, 2))
    expect(aheadBy(message, NOW)).to.equal(year)
    expect(aheadBy(message, NOW + year)).to.equal(0)
  })

  it('what is late, or no command, is nobody’s clock', async () => {
    const message = await forwarded(commandAt(0), new Uint8Array([1, 2, 3]))
    expect(aheadBy(message, NOW)).to.equal(0)
    for (let length = 0; length < message.length; length++)
      expect(aheadBy(message.subarray(0, length), NOW)).to.equal(0)
  })
})
