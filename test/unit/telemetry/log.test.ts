import { peerIdFromString } from '@libp2p/peer-id'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { Key } from 'interface-datastore'
import { CID } from 'multiformats/cid'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { createLog, type LogOptions } from '../../../node/telemetry/log.ts'
import { RING_LINES } from '../../../node/telemetry/log-ring.ts'

function capture(options: Partial<LogOptions> = {}) {
  const written: string[] = []
  const log = createLog({ level: 'info', format: 'structured', write: (line) => written.push(line), ...options })
  return { log, written, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('log', () => {
  it('writes JSON lines with constant text and fields', () => {
    const { log, written, lines } = capture()
    log.forComponent('kairos:node').info('started', { port: 3333, peers: ['a'] })
    expect(written[0]).to.match(/^\{.*\}\n$/)
    const { time, ...line } = lines()[0] ?? {}
    expect(line).to.deep.equal({ level: 'info', component: 'kairos:node', msg: 'started', port: 3333, peers: ['a'] })
    expect(new Date(String(time)).toISOString()).to.equal(time)
  })

  it('writes text for people, a stack indented below', () => {
    const { log, written } = capture({ format: 'text', level: 'debug' })
    log.forComponent('kairos:node').warn('slow disk', { ms: 12, path: '/x' })
    expect(written[0]).to.match(/^\S+Z WARN  kairos:node slow disk ms=12 path=\/x\n$/)
    log.forComponent('libp2p:tcp').error('failed %e', new Error('refused'))
    expect(written[1]).to.match(/^\S+Z DEBUG libp2p:tcp failed Error: refused\n {4}Error: refused\n {8}at /)
  })

  describe('levels', () => {
    it('change at run time, for all or for a component and those below it', () => {
      const { log, lines } = capture()
      const phase = log.forComponent('kairos:phase')
      const raft = log.forComponent('kairos:raft').newScope('driver')
      phase.debug('one')
      expect(log.setLevel('DEBUG', 'kairos:raft')).to.deep.equal({ '*': 'info', 'kairos:raft': 'debug' })
      phase.debug('two')
      raft.debug('three')
      log.setLevel('silent')
      phase.error('four')
      raft.debug('five')
      log.setLevel('trace')
      phase.trace('six')
      expect(lines().map(({ msg }) => msg)).to.deep.equal(['three', 'five', 'six'])
      expect(lines()[0]).to.include({ component: 'kairos:raft:driver', level: 'debug' })
      expect(lines()[2]).to.include({ level: 'trace' })
    })

    it('the nearest name decides', () => {
      const { log, lines } = capture()
      log.setLevel('debug', 'libp2p')
      log.setLevel('error', 'libp2p:tcp')
      log.forComponent('libp2p:tcp:listener')('hidden')
      log.forComponent('libp2p:tcpish')('shown')
      expect(lines().map(({ msg }) => msg)).to.deep.equal(['shown'])
    })

    it('refuses a level that is none', () => {
      expect(() => capture().log.setLevel('loud'))
        .to.throw(CodedError)
        .with.property('code', 'E_LOG_LEVEL')
    })

    it('`enabled` tells libp2p whether its lines are written', () => {
      const { log } = capture()
      const tcp = log.forComponent('libp2p:tcp')
      expect(tcp.enabled).to.equal(false)
      log.setLevel('debug', 'libp2p')
      expect(tcp.enabled).to.equal(true)
    })

    it('libraries’ errors are not ours: debug, while ours are errors', () => {
      const { log, lines } = capture()
      log.forComponent('libp2p:dialer').error('no route to %s', 'x')
      log.forComponent('kairos:node').error('disk lost', { error: new CodedError('E_STORAGE_IO', 'gone') })
      expect(lines()).to.have.lengthOf(1)
      expect(lines()[0]).to.deep.include({ level: 'error', msg: 'disk lost' })
      expect(lines()[0]?.['error']).to.include({ code: 'E_STORAGE_IO', message: 'gone' })
    })

    it('touches no value of a line that is not written', () => {
      const { log } = capture()
      const trap = new Proxy({}, { get: () => expect.fail('was read'), ownKeys: () => expect.fail('was read') })
      const tcp = log.forComponent('libp2p:tcp')
      tcp.trace('a %o', trap)
      tcp('b %o', trap)
      log.forComponent('kairos:x').debug('c', trap)
    })
  })

  describe('libp2p’s lines', () => {
    const lineOf = (...args: [unknown, ...unknown[]]) => {
      const { log, lines } = capture({ level: 'debug' })
      log.forComponent('libp2p:x')(...args)
      return lines()[0] ?? {}
    }
    const peer = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
    const cid = 'bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4'

    it('show peer ids, addresses, CIDs and keys as text', () => {
      const args = [peerIdFromString(peer), multiaddr('/ip4/127.0.0.1/tcp/1'), CID.parse(cid), new Key('/k')]
      expect(lineOf('%p at %a has %c under %k', ...args)['msg']).to.equal(
        `${peer} at /ip4/127.0.0.1/tcp/1 has ${cid} under /k`,
      )
    })

    it('show text, numbers, objects, bytes and what is left over', () => {
      expect(lineOf('%s %d%% %o', 'a', 5, { x: [1] })['msg']).to.equal('a 5% {"x":[1]}')
      const three = Uint8Array.of(0, 1, 2)
      expect(lineOf('%b %t %m', three, three, three)['msg']).to.equal('15T aaaqe AAEC')
      expect(lineOf('%s', undefined)['msg']).to.equal('undefined')
      expect(lineOf('%s and %s', 'one')['msg']).to.equal('one and %s')
      expect(lineOf('extra', 1, { a: 2 })['msg']).to.equal('extra 1 {"a":2}')
    })

    it('show errors on one line, all of an aggregate, with the stack beside', () => {
      const error = new AggregateError([new Error('a'), new CodedError('E_X', 'b')], 'all failed')
      const line = lineOf('dial: %e', error)
      expect(line['msg']).to.equal('dial: AggregateError: all failed [Error: a; CodedError: b]')
      expect(line['stack']).to.contain('log.test.ts')
      expect(lineOf(new Error('bare'))['msg']).to.equal('Error: bare')
      expect(lineOf('%e', undefined)['msg']).to.equal('undefined')
    })
  })

  it('never writes bytes, nor what an object of a class holds', async () => {
    const { log, written } = capture({ level: 'trace' })
    const key = await generateKeyPair('Ed25519')
    const fields = { key, raw: key.raw, deep: { list: [key.raw, { key }] }, buffer: Buffer.from(key.raw) }
    log.forComponent('kairos:x').info('careless', fields)
    log.forComponent('libp2p:x')('careless %o %s %j', key, { raw: key.raw }, key.raw)
    log.forComponent('libp2p:x')(key, { key })
    const all = written.join('')
    expect(all).to.contain('<64 bytes>')
    expect(all).not.to.contain(Buffer.from(key.raw).toString('base64').slice(0, 20))
    expect(all).not.to.contain(Buffer.from(key.raw).toString('hex').slice(0, 20))
    expect(all).not.to.contain([...key.raw.subarray(0, 4)].join(','))
  })

  it('takes any value: cycles, functions, symbols, numbers beyond JSON, long text', () => {
    const { log, lines } = capture()
    const cycle: Record<string, unknown> = {
      big: 2n,
      fn: () => 1,
      symbol: Symbol('s'),
      none: undefined,
      long: 'x'.repeat(20_000),
    }
    cycle['self'] = cycle
    log.forComponent('kairos:x').info('odd', cycle)
    const line = lines()[0] ?? {}
    expect(line).to.include({ big: '2', fn: '[function]', symbol: 'Symbol(s)' })
    expect(String(line['long'])).to.have.lengthOf(8193)
  })

  describe('ring', () => {
    it('keeps the last lines, bounded, oldest first', () => {
      const { log } = capture({ write: () => undefined })
      const node = log.forComponent('kairos:x')
      for (let i = 0; i < RING_LINES + 5; i++) node.info('line', { i })
      const recent = log.recent()
      expect(recent).to.have.lengthOf(RING_LINES)
      expect([recent[0]?.['i'], recent.at(-1)?.['i']]).to.deep.equal([5, RING_LINES + 4])
    })

    it('tells subscribers until they leave', () => {
      const { log } = capture()
      const seen: string[] = []
      const leave = log.subscribe(({ msg }) => seen.push(msg))
      log.forComponent('kairos:x').info('one')
      leave()
      log.forComponent('kairos:x').info('two')
      expect(seen).to.deep.equal(['one'])
    })

    it('tail gives the recent lines, then the new ones, until the signal', async () => {
      const { log } = capture()
      const node = log.forComponent('kairos:x')
      const stop = new AbortController()
      node.info('one')
      const seen: string[] = []
      for await (const { msg } of log.tail(stop.signal)) {
        seen.push(msg)
        if (msg === 'one') queueMicrotask(() => node.info('two'))
        if (msg === 'two') queueMicrotask(() => stop.abort())
      }
      expect(seen).to.deep.equal(['one', 'two'])
    })

    it('a reader that is too slow misses the oldest, and holds no more than the ring', async () => {
      const { log } = capture({ write: () => undefined })
      const node = log.forComponent('kairos:x')
      const stop = new AbortController()
      const tail = log.tail(stop.signal)[Symbol.asyncIterator]()
      node.info('first')
      await tail.next()
      for (let i = 0; i < RING_LINES + 7; i++) node.info('line', { i })
      const next = await tail.next()
      expect(next.value).to.include({ i: 7 })
      stop.abort()
      expect((await tail.next()).done).to.equal(true)
    })
  })
})
