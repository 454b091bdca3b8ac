import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { SYNC_PROTOCOL } from '../../protocols/sync/index.ts'
import { requestCodec } from '../../protocols/sync/codec.ts'
import { writeFrame } from '../../protocols/shared/frames.ts'
import { encodeMessage } from '../../wasm/bft/messages.ts'
import {
  floodFrames,
  floodParts,
  garbage,
  isRefused,
  partOf,
  proposeWrongly,
  refusals,
  residentMib,
} from '../helpers/mesh-garbage.ts'
import type { MeshMember } from '../helpers/mesh-member.ts'
import { Operators } from '../helpers/operators.ts'
import { eventually } from '../helpers/processes.ts'

const FOUR = ['alpha', 'beta', 'gamma', 'delta']
const HONEST = FOUR.slice(0, 3)

describe('a running mesh to which members send garbage', function () {
  this.timeout(90_000)
  let mesh: Operators
  /** one of the four validators */
  let liar: MeshMember
  /** a light node of the first cell */
  let light: MeshMember
  const ids = new Map<string, string>()
  const id = (name: string): string => ids.get(name)!

  before(async () => {
    mesh = await Operators.open()
    await mesh.found(FOUR, 300)
    await Promise.all(HONEST.map((name) => mesh.run(name)))
    liar = await mesh.member('delta')
    await mesh.join('light', 'alpha', 'light')
    light = await mesh.member('light')
    for (const name of HONEST) ids.set(name, (await mesh.status(name))!.peerId)
    await Promise.all([liar.acquainted(4), light.acquainted(4)])
    await mesh.reach(2, HONEST)
  })
  after(() => mesh.close())

  const goesOn = async (): Promise<void> => {
    const { height } = (await mesh.chain('alpha'))!
    await mesh.reach(height + 4, HONEST)
    for (const name of HONEST) expect((await mesh.chain(name))!.counters.traps, name).to.equal(0)
  }
  const isRefusedBy = (name: string, code: string, act: () => Promise<unknown>) => {
    liar.renew()
    return isRefused(mesh, name, code, act)
  }
  const isHungUpOnBy = (name: string, member: MeshMember) =>
    eventually(`${name} hangs up`, () => !member.connected.includes(id(name)), 15_000)

  it('a proposer whose block breaks the rules or leaves reports out: refused with a code, counted, another one proposes', async () => {
    for (const [code, spoil] of [
      ['E_EPOCH_TIME', ({ header }) => ({ header: { time: header.time + 1 } })],
      ['E_EPOCH_REPORT_MISSING', () => ({})],
    ] satisfies [string, Parameters<typeof proposeWrongly>[1]][]) {
      const before = await Promise.all(HONEST.map((name) => refusals(mesh, name, code)))
      await proposeWrongly(liar, spoil)
      for (const [at, name] of HONEST.entries())
        await eventually(`${name} refuses with ${code}`, async () => (await refusals(mesh, name, code)) > before[at]!)
      await goesOn()
    }
  })

  it('a block of more than 1 MiB has no parts, and parts of another block are no block', async () => {
    const to = id('beta')
    await isRefusedBy('beta', 'E_FRAME_SCHEMA', () => liar.sayRaw(garbage.part(liar.state.height + 1), to))
    await isRefusedBy('beta', 'E_BFT_BLOCK_WRONG', async () => {
      const value = randomBytes(36)
      const height = liar.state.height + 1
      for (let index = 0; index < 16; index++) await liar.say(partOf(height, value, index, 16), [to])
    })
    await goesOn()
  })

  it('what is merely not wanted is dropped and counted, and costs nobody the connection', async () => {
    const [to, far] = [[id('alpha')], liar.state.height + 1_000]
    const vote = liar.pen.vote({ kind: 'prevote', height: far, round: 0, value: undefined })
    const report = await liar.pen.report(liar.state.height + 1, [0, 1])
    await isRefusedBy('alpha', 'E_BFT_DROPPED', () => liar.say({ type: 'message', height: far, bytes: vote }, to))
    await isRefusedBy('alpha', 'E_BFT_FAR', () => liar.say(partOf(far, randomBytes(36), 0, 16), to))
    await isRefusedBy('alpha', 'E_BFT_UNASKED', () => liar.say({ type: 'reports', envelopes: [report] }, to))
    for (const epoch of [far, 1])
      await isRefusedBy('alpha', 'E_REPORT_EPOCH', async () => liar.gossip(await liar.pen.report(epoch, [0, 1])))
    await goesOn()
    expect(liar.connected).to.include(id('alpha'))
  })

  it('garbage on /kairos/bft is refused with its code, counted, and in the end its sender is hung up on', async () => {
    const message = (bytes: Uint8Array, to: string) =>
      liar.say({ type: 'message', height: liar.state.height + 1, bytes }, [id(to)])
    await isRefusedBy('alpha', 'E_FRAME_MALFORMED', () => liar.sayRaw(garbage.random(), id('alpha')))
    await isRefusedBy('alpha', 'E_BFT_MESSAGE', () => message(randomBytes(500), 'alpha'))
    await isRefusedBy('gamma', 'E_FRAME_SCHEMA', () => liar.sayRaw(garbage.request(), id('gamma')))
    await isRefusedBy('gamma', 'E_BFT_SIGNATURE', async () => {
      const height = liar.state.height + 1
      const forged = liar.pen.vote({ kind: 'prevote', height, round: 0, value: undefined })
      forged[forged.length - 2]! ^= 1
      await message(forged, 'gamma')
    })
    await goesOn()
    for (const name of HONEST) expect(liar.connected, name).to.include(id(name))
    for (let times = 0; times < 5; times++) {
      const [height, value] = [liar.state.height + 1, randomBytes(36)]
      for (const [index, total] of [
        [0, 16],
        [1, 15],
      ] as const)
        await liar.say(partOf(height, value, index, total), [id('beta')])
    }
    await isHungUpOnBy('beta', liar)
    const signatures = liar.state.validators.map(({ key }) => ({ validator: key, signature: randomBytes(64) }))
    const polka = encodeMessage({
      type: 'polka',
      height: liar.state.height + 1,
      round: 0,
      value: randomBytes(36),
      signatures,
    })
    for (let times = 0; times < 5; times++) await message(polka, 'gamma')
    await isHungUpOnBy('gamma', liar)
    await goesOn()
  })

  it('parts without an end are bounded in memory, frames without an end are dropped and their sender hung up on', async function () {
    const pid = mesh.process('alpha').child.pid!
    const before = residentMib(pid)
    if (before === undefined) this.skip()
    await floodParts(liar, id('alpha'), 192)
    // Kept, they would be all there; what is not collected yet is some of them.
    expect(residentMib(pid)! - before).to.be.below(150)
    await floodFrames(liar, id('alpha'))
    await isHungUpOnBy('alpha', liar)
    for (const code of ['E_BFT_RATE', 'E_BFT_FLOOD']) expect(await refusals(mesh, 'alpha', code), code).to.be.above(0)
    await goesOn()
  })

  it('garbage on /kairos/sync is refused with its code, counted, and in the end its sender is hung up on', async () => {
    const ask = async (...frames: Uint8Array[]) => {
      const stream = await light.stream(id('gamma'), SYNC_PROTOCOL)
      for (const frame of frames) await writeFrame(stream, frame, AbortSignal.timeout(5_000)).catch(() => undefined)
      await stream.close().catch(() => undefined)
    }
    const head = requestCodec.encode({ type: 'head' })
    await isRefusedBy('gamma', 'E_FRAME_MALFORMED', () => ask(garbage.random().subarray(0, 100)))
    await isRefusedBy('gamma', 'E_FRAME_TOO_LARGE', () => ask(randomBytes(1_000)))
    await isRefusedBy('gamma', 'E_SYNC_PROTOCOL', () => ask(head, head))
    await isRefusedBy('gamma', 'E_FRAME_SCHEMA', () =>
      ask(liar.pen.command({ kind: 'vote', motion: randomBytes(32), yes: true })),
    )
    expect(light.connected).to.include(id('gamma'))
    await ask(randomBytes(1_000))
    await isHungUpOnBy('gamma', light)
    await goesOn()
  })

  it('ten times the rate of reports: over the budget dropped, over ten budgets hung up on', async () => {
    const report = await light.pen.report(light.state.height + 1, [0, 1])
    const many = Array.from({ length: 50 }, () => report)
    for (let times = 0; times < 60 && light.connected.includes(id('alpha')); times++)
      await Promise.all(many.map((each) => light.gossip(each).catch(() => undefined)))
    await isHungUpOnBy('alpha', light)
    for (const code of ['E_GOSSIP_BUDGET', 'E_GOSSIP_FLOOD'])
      expect(await refusals(mesh, 'alpha', code), code).to.be.above(0)
    await goesOn()
  })
})
