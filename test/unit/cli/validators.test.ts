import { expect } from 'chai'
import { motionsText, motionText, validatorsText } from '../../../node/cli/validators-text.ts'
import { motion, MOTION, VALIDATORS } from '../../helpers/fake-record.ts'
import { verbStarter } from '../../helpers/verb-starter.ts'

const PEER = VALIDATORS.operators[0]!.members[0]!.peerId

describe('validators in text', () => {
  it('are the nodes of each operator with their part of the power, and the policy in words', () => {
    const text = validatorsText(VALIDATORS)
    expect(text).to.match(
      /^Alpha +alpha +3 +alpha-1 \(this\) +yes +100.0 % +yes +12D3KooW\w+ +epoch 1230, T_cell 0.6000/m,
    )
    expect(text).to.match(/^Alpha +alpha +3 +alpha-2 +no +- +yes/m)
    expect(text).to.match(/^who: +1 validator of 1 operator; none of them may lie$/m)
    expect(text).to.match(/^next: +1 validator from epoch 1236 on$/m)
    expect(text).to.match(/^pace: +an epoch every 1.0s, every 10s while nothing changes$/m)
    const fast = { ...VALIDATORS.policy, epochMs: 5 }
    expect(validatorsText({ ...VALIDATORS, policy: fast })).to.match(/^pace: +an epoch every 5 ms, /m)
    expect(text).to.match(/^trusting period: +14d/m)
    expect(text).to.match(/^collapse: +at \|T\|² 0.950$/m)
    expect(text).to.match(/^two votes: +put a validator out for good$/m)
  })

  it('name those that are out or revoked', () => {
    const revoked = [{ peerId: PEER, cell: 'alpha', height: 9 }]
    const text = validatorsText({ ...VALIDATORS, out: [PEER], revoked })
    expect(text).to.match(new RegExp(`^out for good: +${PEER}$`, 'm'))
    expect(text).to.match(new RegExp(`^revoked: +${PEER}, by cell alpha in epoch 9$`, 'm'))
  })

  it('have motions: how the id begins in the list, all of it alone', () => {
    expect(motionsText([motion()])).to.match(/^7f3a00000000 +open +25.0 % +0.0 % +2230 +- +operator delta goes$/m)
    const carried = motionText(motion({ state: 'carried', holdsFrom: 1240 }))
    expect(carried)
      .to.contain(MOTION)
      .and.match(/^state: +carried, holds from epoch 1240$/m)
    expect(motionText(motion({ text: 'a\u001b' }))).to.not.contain('\u001b')
  })
})

describe('verbs of validators', () => {
  const start = verbStarter()
  const json = { flags: { json: true as const } }

  it('list them and what is voted on', async () => {
    const { run, calls } = await start()
    expect((await run('validators')).stdout).to.match(/^OPERATOR/)
    expect(JSON.parse((await run('validators ls', json)).stdout)).to.deep.equal(VALIDATORS)
    expect((await run('validators motions')).stdout).to.match(/^MOTION/)
    expect(calls).to.deep.equal(['mesh.validators', 'mesh.validators', 'mesh.motions'])
  })

  const moved = async (line: string) => {
    const { run, calls } = await start()
    const { code, stdout } = await run(`validators move ${line}`)
    expect(code, line).to.equal(undefined)
    expect(stdout).to.match(/^motion: +7f3a/)
    return calls
  }

  it('move an operator with its nodes, weight and time', async () => {
    const line = `operator --name Delta --cell delta --weight 3 --member ${PEER} delta-2 --effective-at 90 --expires-in 10`
    const change = { type: 'operator-set', name: 'Delta', cell: 'delta', weight: 3, members: [PEER, 'delta-2'] }
    expect(await moved(line)).to.deep.equal([`mesh.move ${JSON.stringify(change)} {"effectiveAt":90,"expiresIn":10}`])
  })

  it('move that an operator goes', async () => {
    expect(await moved('remove-operator delta')).to.deep.equal([
      'mesh.move {"type":"operator-remove","cell":"delta"} {}',
    ])
  })

  it('move a policy in the units of people', async () => {
    const line =
      'policy epochMs=500 idleEpochMs=5s trustingMs=21d collapseThreshold=0.95 maxValidators=4 doubleVote=note'
    const policy = {
      epochMs: 500,
      idleEpochMs: 5000,
      trustingMs: 1_814_400_000,
      collapseThreshold: 1_020_054_733,
      maxValidators: 4,
      doubleVote: 'note',
    }
    expect(await moved(line)).to.deep.equal([`mesh.move ${JSON.stringify({ type: 'policy-set', policy })} {}`])
  })

  it('move nothing that lacks a part or has a wrong one', async () => {
    const { run, calls } = await start()
    const wrong = [
      'operator --name Delta --cell delta',
      'operator --name Delta --cell delta --weight 0',
      'remove-operator',
      'remove-operator delta --effective-at 0',
      'policy',
      'operator --name Delta --cell delta --weight 8589934592',
      'remove-operator delta --expires-in 1000001',
      'policy speed=1',
      'policy constructor=1',
      'policy epochMs',
      'policy epochMs=soon',
      'policy collapseThreshold=2',
      'policy doubleVote=forgive',
    ]
    for (const line of wrong) expect((await run(`validators move ${line}`)).code, line).to.match(/^commander\./)
    expect(calls).to.deep.equal([])
  })

  it('vote for a motion, and against it with --no', async () => {
    const { run, calls } = await start()
    await run('validators vote 7f3a')
    await run('validators vote 7f3a --no')
    expect(calls).to.deep.equal(['mesh.vote 7f3a true', 'mesh.vote 7f3a false'])
    expect((await run('validators vote aa')).code).to.equal('E_MOTION_UNKNOWN')
    expect((await run('validators vote zz')).code).to.match(/^commander\./)
  })
})
