import { expect } from 'chai'
import { join } from 'node:path'
import { checkConfig } from '../../../node/config/check.ts'
import { ConfigDocument } from '../../../node/config/document.ts'
import { configSchema, type ConfigInput } from '../../../node/config/schema.ts'
import { caught } from './caught.ts'

const check = (input: ConfigInput) => checkConfig(configSchema.parse(input))
const phases: ConfigInput['signal'] = { source: 'stdin', phase_column: 'p', rate_hz: 100 }

describe('checkConfig', () => {
  it('lets the defaults pass', () => {
    expect(() => check({})).not.to.throw()
  })

  it('coherence.md §8 refuses Appendix D on raw samples, saying which values to change, and takes phases', async () => {
    const document = await ConfigDocument.read(join(import.meta.dirname, '../../fixtures/config/becomingone.yaml'))
    const config = document.validate()
    expect(() => checkConfig(config)).not.to.throw()
    const raw = configSchema.parse({ ...config, signal: { source: 'stdin', column: 'x', rate_hz: 100, block: 315 } })
    const error = caught(() => checkConfig(raw))
    expect(error.code).to.equal('E_WINDOW_UNDER_CYCLE')
    expect(error.message).to.match(/^emissary: .*1 s.*3\.14/)
    expect(error.hint).to.match(/phases.*tau_max.*omega/)
    expect(() => checkConfig({ ...config, signal: configSchema.parse({ signal: phases }).signal })).not.to.throw()
  })

  it('§6 refuses a window of fewer than 18 effective samples, naming the transducer', () => {
    const error = caught(() => check({ signal: { ...phases, rate_hz: 10 } }))
    expect(error.code).to.equal('E_WINDOW_TOO_SHORT')
    expect(error.message).to.contain('emissary')
    expect(error.hint).to.contain('tau_max')
  })

  it('looks only at the transducers that the role runs', () => {
    const slow: ConfigInput['signal'] = { ...phases, rate_hz: 10 }
    for (const role of ['witness', 'relay'] as const) {
      expect(() => check({ signal: slow, node: { role } })).not.to.throw()
    }
    const shortMaster: ConfigInput = { signal: phases, master: { tau_max: 0.1 } }
    expect(() => check({ ...shortMaster, node: { role: 'light' } })).not.to.throw()
    expect(() => check({ ...shortMaster, master: { tau_max: 0.1, enabled: false } })).not.to.throw()
    expect(caught(() => check(shortMaster)).message).to.contain('master')
  })

  it('takes the weather recording of the local mesh', () => {
    const day = 86_400
    const tauMax = (days: number) => days * day * 3.676138347
    const signal = {
      source: 'recording',
      path: 'w.csv',
      column: 't',
      rate_hz: 1 / 3600,
      block: 24,
      period_s: day,
    } as const
    const config = configSchema.parse({ signal, emissary: { tau_max: tauMax(10) }, master: { tau_max: tauMax(30) } })
    expect(() => checkConfig(config)).not.to.throw()
  })

  it('scales the windows by kairos.tau_scale', () => {
    const signal: ConfigInput['signal'] = { ...phases, rate_hz: 2 }
    expect(caught(() => check({ signal })).code).to.equal('E_WINDOW_TOO_SHORT')
    expect(() => check({ signal, kairos: { tau_scale: 60 } })).not.to.throw()
  })

  it('refuses a recording without a path', () => {
    expect(caught(() => check({ signal: { source: 'recording', rate_hz: 100 } })).code).to.equal('E_SIGNAL_CONFIG')
  })

  it('wants a key for a keyed reference, and none otherwise', () => {
    const key = 'ab'.repeat(32)
    expect(caught(() => check({ signal: { ...phases, reference: 'keyed' } })).hint).to.contain('signal.key')
    expect(caught(() => check({ signal: { ...phases, key } })).code).to.equal('E_SIGNAL_CONFIG')
    expect(() => check({ signal: { ...phases, reference: 'keyed', key } })).not.to.throw()
  })

  it('refuses an API that others can reach without TLS, unless told', () => {
    const error = caught(() => check({ api: { host: '0.0.0.0' } }))
    expect(error.code).to.equal('E_API_EXPOSED')
    expect(error.hint).to.contain('api.insecure_listen')
    expect(() => check({ api: { host: '0.0.0.0', insecure_listen: true } })).not.to.throw()
    expect(() => check({ api: { host: '::', tls: { cert: 'c', key: 'k' } } })).not.to.throw()
    for (const host of ['localhost', '::1', '127.0.0.9']) expect(() => check({ api: { host } })).not.to.throw()
    expect(caught(() => check({ api: { host: '127.evil.example' } })).code).to.equal('E_API_EXPOSED')
  })
})

describe('the schema', () => {
  const accepts = (input: ConfigInput) => configSchema.safeParse(input).success

  it('takes address ranges of both families and nothing else', () => {
    for (const range of ['10.0.0.0/8', '0.0.0.0/0', 'fd00::/8', '::1/128']) {
      expect(accepts({ network: { allow_ranges: [range] } }), range).to.equal(true)
    }
    for (const range of ['10.0.0.0', '10.0.0.0/33', '10.0.0/8', 'fd00::/129', 'x/8', '10.0.0.0/8/8', '10.0.0.0/']) {
      expect(accepts({ network: { allow_ranges: [range] } }), range).to.equal(false)
    }
  })

  it('never lets a block pass that hangs a peer (over 2 MiB)', () => {
    expect(accepts({ content: { max_block_bytes: 2_097_152 } })).to.equal(true)
    expect(accepts({ content: { max_block_bytes: 2_097_153 } })).to.equal(false)
  })

  it('refuses numbers that are none', () => {
    for (const omega of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(accepts({ kairos: { omega } })).to.equal(false)
  })
})
