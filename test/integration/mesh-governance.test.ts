import { expect } from 'chai'
import type { MotionDocument } from '../../node/operations-mesh.ts'
import { Operators } from '../helpers/operators.ts'
import { eventually } from '../helpers/processes.ts'

const FOUR = ['alpha', 'beta', 'gamma', 'delta']

describe('governance of a running mesh', function () {
  this.timeout(120_000)
  let mesh: Operators
  const ids = new Map<string, string>()

  before(async () => {
    mesh = await Operators.open()
    await mesh.init('alpha')
    await mesh.run('alpha')
    await mesh.move('alpha', { type: 'policy-set', policy: { epochMs: 250, idleEpochMs: 250 } })
    for (const name of FOUR.slice(1)) {
      await mesh.join(name, 'alpha', 'full', '--cell', name, '--rights', 'found')
      await mesh.run(name)
      ids.set(name, (await mesh.status(name))!.peerId)
    }
  })
  after(() => mesh.close())

  /** A moment after the mover another may not know of the motion yet. */
  const voted = (by: string, { id }: MotionDocument, yes: boolean) =>
    eventually(`${by} votes`, async () => (await mesh.vote(by, id, yes)).ok, 20_000)
  const operator = (name: string, weight = 1) => ({
    type: 'operator-set',
    name,
    cell: name,
    weight,
    members: ids.has(name) ? [ids.get(name)!] : [],
  })
  /** Until these decide, as all nodes have it. */
  const decide = (names: readonly string[]) =>
    Promise.all(
      FOUR.map((at) =>
        eventually(`${at} says that ${names.join(', ')} decide`, async () => {
          const { operators } = await mesh.validators(at)
          const areAll = operators.map(({ cell }) => cell).join() === [...names].sort().join()
          // A set decides two epochs after it was carried.
          return areAll && operators.every(({ members }) => members.every(({ power }) => power > 0))
        }),
      ),
    )

  it('a mesh of one grows to four operators while it runs', async () => {
    for (const [at, name] of FOUR.entries()) {
      if (at === 0) continue
      const motion = await mesh.move('alpha', operator(name))
      for (const by of FOUR.slice(1, at)) await voted(by, motion, true)
      await decide(FOUR.slice(0, at + 1))
    }
    const { height } = (await mesh.chain('alpha'))!
    await mesh.reach(height + 3, FOUR)
    expect((await mesh.chain('delta'))!).to.include({ role: 'validator', operators: 4, toleratedFaults: 1 })
  })

  it('a weight of a third is refused where it is moved; what more than a third is against does not come', async () => {
    const change = { type: 'operator-set', name: 'alpha', cell: 'alpha', weight: 2, members: [] }
    expect(await mesh.call('gamma', 'motions/move', { change })).to.deep.equal({ ok: false, code: 'E_MOTION_REFUSED' })
    const before = await mesh.validators('alpha')
    const motion = await mesh.move('gamma', { type: 'policy-set', policy: { epochMs: 100 } })
    for (const by of ['alpha', 'beta']) await voted(by, motion, false)
    const { height } = (await mesh.chain('beta'))!
    await mesh.reach(height, FOUR)
    // It has been voted down: no vote is taken any more.
    const late = await mesh.call('delta', 'motions/vote', { motion: motion.id, yes: true })
    expect(late).to.deep.equal({ ok: false, code: 'E_MOTION_UNKNOWN' })
    await mesh.reach(height + 3, FOUR)
    for (const name of FOUR) expect((await mesh.validators(name)).policy).to.deep.equal(before.policy)
  })

  it('it shrinks to one again, which goes on; all have the same epochs', async () => {
    for (const [left, name] of [
      [3, 'delta'],
      [2, 'gamma'],
      [1, 'beta'],
    ] as const) {
      // Nobody moves more than four times in a while.
      const motion = await mesh.move('beta', { type: 'operator-remove', cell: name })
      for (const by of ['alpha', 'gamma'].slice(0, left)) await voted(by, motion, true)
      await decide(FOUR.slice(0, left))
    }
    const { height } = (await mesh.chain('alpha'))!
    await mesh.reach(height + 3, FOUR)
    const rows = await Promise.all(FOUR.map((name) => mesh.epochs(name, height + 3)))
    for (const of of rows) expect(of.map(({ cid }) => cid)).to.deep.equal(rows[0]!.map(({ cid }) => cid))
    expect((await mesh.chain('delta'))!.role).to.equal('follower')
    const last = await mesh.call('alpha', 'motions/move', { change: { type: 'operator-remove', cell: 'alpha' } })
    expect(last).to.deep.equal({ ok: false, code: 'E_MOTION_REFUSED' })
  })
})
