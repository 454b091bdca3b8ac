import { expect } from 'chai'
import { Lifecycle } from '../../../node/lifecycle.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'

describe('lifecycle', () => {
  let told: string[]
  let life: Lifecycle
  beforeEach(() => {
    told = []
    life = new Lifecycle((service, error) => told.push(`${service} failed to stop: ${(error as Error).message}`))
  })

  const service = (name: string, fails: { start?: Error; stop?: Error } = {}) => ({
    name,
    start: async () => {
      told.push(`+${name}`)
      if (fails.start !== undefined) throw fails.start
    },
    stop: async () => {
      told.push(`-${name}`)
      if (fails.stop !== undefined) throw fails.stop
    },
  })
  const start = (name: string, fails = {}) => life.start(name, () => service(name, fails))
  const failureOf = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error: unknown) => error as CodedError,
    )

  it('stops in the reverse of the order of starting', async () => {
    await life.hold(
      'lock',
      async () => told.push('+lock'),
      async () => void told.push('-lock'),
    )
    await start('a')
    await start('b')
    await life.stop()
    expect(told).to.deep.equal(['+lock', '+a', '+b', '-b', '-a', '-lock'])
  })

  it('stops what started before a service that cannot, and names that service', async () => {
    await start('a')
    const cause = new CodedError('E_PORT_TAKEN', 'port 1 is taken', { hint: 'choose another' })
    const failure = await failureOf(start('b', { start: cause }))
    expect(told).to.deep.equal(['+a', '+b', '-b', '-a'])
    expect(failure).to.deep.include({ code: 'E_PORT_TAKEN', message: 'b did not start: port 1 is taken' })
    expect([failure?.hint, failure?.cause]).to.deep.equal(['choose another', cause])
  })

  it('gives nothing back that could not be taken', async () => {
    const take = () => Promise.reject(new CodedError('E_LOCKED', 'pid 7'))
    const failure = await failureOf(life.hold('lock', take, async () => void told.push('-lock')))
    expect([failure?.code, failure?.message, told]).to.deep.equal(['E_LOCKED', 'lock did not start: pid 7', []])
  })

  it('goes on past a service that cannot stop, and says which', async () => {
    await start('a')
    await start('b', { stop: new Error('stuck') })
    await life.stop()
    expect(told).to.deep.equal(['+a', '+b', '-b', 'b failed to stop: stuck', '-a'])
  })

  it('stops once, however often it is asked', async () => {
    await start('a')
    await Promise.all([life.stop(), life.stop()])
    await life.stop()
    expect(told).to.deep.equal(['+a', '-a'])
  })

  it('starts nothing once it stops, and takes back what was starting meanwhile', async () => {
    const gate = Promise.withResolvers<void>()
    const late = failureOf(life.start('slow', async () => gate.promise.then(() => service('slow'))))
    const stopped = life.stop()
    gate.resolve()
    expect((await late)?.code).to.equal('E_STOPPING')
    await stopped
    expect(told).to.deep.equal(['+slow', '-slow'])
    expect((await failureOf(start('never')))?.code).to.equal('E_STOPPING')
    expect(told).to.deep.equal(['+slow', '-slow'])
  })

  it('tells the first failure of all to whoever was starting', async () => {
    const disk = new CodedError('E_DISK_FULL', 'no space')
    const gate = Promise.withResolvers<void>()
    const starting = failureOf(life.start('slow', async () => gate.promise.then(() => service('slow'))))
    const stopped = life.stop(disk)
    gate.resolve()
    expect((await starting)?.code).to.equal('E_DISK_FULL')
    await stopped
    expect(life.failure).to.equal(disk)
  })
})
