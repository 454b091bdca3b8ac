import { expect } from 'chai'
import * as fc from 'fast-check'
import { checkStatus, PROTOCOL_VERSION, statusCodec, type PeerStatus } from '../../../protocols/status/index.ts'

const status: PeerStatus = {
  role: 'full',
  cell: 'alpha',
  name: 'a1',
  version: '0.1.0',
  protocolVersion: PROTOCOL_VERSION,
  heads: { memory: 'bafy' },
  time: 1_700_000_000_000,
}
const certified = { role: 'full', cell: 'alpha' }

describe('/kairos/status/1.0.0', () => {
  it('accepts what the certificate gives, one version apart too', () => {
    expect(checkStatus(status, certified)).to.equal(undefined)
    expect(checkStatus({ ...status, protocolVersion: PROTOCOL_VERSION + 1 }, certified)).to.equal(undefined)
  })

  it('refuses another role, another cell, a version too far away, each with its code', () => {
    expect(checkStatus({ ...status, role: 'relay' }, certified)?.code).to.equal('E_STATUS_ROLE')
    expect(checkStatus({ ...status, cell: 'beta' }, certified)?.code).to.equal('E_STATUS_CELL')
    const far = checkStatus({ ...status, protocolVersion: PROTOCOL_VERSION + 2 }, certified)
    expect(far?.code).to.equal('E_VERSION_UNSUPPORTED')
    expect(far?.message).to.contain(`${PROTOCOL_VERSION + 2}`)
  })

  it('carries every message there and back, and every refusal that it makes', () => {
    const refusal = checkStatus({ ...status, role: 'light' }, certified)
    for (const message of [
      { type: 'status', ...status } as const,
      { type: 'accepted' } as const,
      { type: 'refused', ...(refusal ?? { code: '', message: '' }) } as const,
    ]) {
      expect(statusCodec.decode(statusCodec.encode(message))).to.deep.equal(message)
    }
  })

  it('refuses too many heads, unknown fields and roles, and too many bytes', () => {
    const heads = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`h${i}`, 'x']))
    for (const bad of [
      { ...status, heads },
      { ...status, more: 1 },
      { ...status, role: 'boss' },
      { ...status, name: '' },
    ]) {
      const bytes = statusCodec.encode({ type: 'status', ...bad } as never)
      expect(() => statusCodec.decode(bytes))
        .to.throw()
        .with.property('code', 'E_FRAME_SCHEMA')
    }
    expect(() => statusCodec.decode(new Uint8Array(4097)))
      .to.throw()
      .with.property('code', 'E_FRAME_TOO_LARGE')
  })

  it('throws nothing but coded errors on mutated frames', () => {
    const valid = statusCodec.encode({ type: 'status', ...status })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (changes) => {
          const bytes = Uint8Array.from(valid)
          for (const [at, byte] of changes) bytes[at] = byte
          try {
            statusCodec.decode(bytes)
          } catch (error) {
            expect(error)
              .to.have.property('code')
              .that.matches(/^E_FRAME_/)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})
