import { expect } from 'chai'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootstrapAddresses } from '../../../node/config/bootstrap-addresses.ts'
import { ConfigDocument } from '../../../node/config/document.ts'
import { caught } from './caught.ts'

const appendixD = join(import.meta.dirname, '../../fixtures/config/becomingone.yaml')

describe('config document', () => {
  it('loads the source document’s Appendix D unchanged', async () => {
    const config = (await ConfigDocument.read(appendixD)).validate()
    expect(config.name).to.equal('becomingone-primary')
    expect(config.kairos).to.deep.equal({ tau_scale: 1, coherence_threshold: 0.95, omega: 2 })
    expect(config.master).to.deep.equal({ enabled: true, tau_max: 3600, witness_interval: 0.1 })
    expect(config.emissary).to.deep.equal({ enabled: true, tau_max: 1, witness_interval: 0.01 })
    expect(config.memory.storage).to.deep.equal({ type: 'temporal', path: '/home/solaria/.becomingone/memory' })
    expect(config.witnessing.layers).to.deep.equal(['micro', 'meso', 'macro', 'meta'])
    expect(config.security).to.deep.equal({ intrinsic: true, transport: 'tls', node_auth: 'mutual_tls' })
    expect(config.logging.level).to.equal('info')
    expect(bootstrapAddresses(config)).to.deep.equal(['/dns/witness-seed/tcp/18789', '/dns/kairos-seed/tcp/18789'])
  })

  it('loads the same without the top key', async () => {
    const wrapped = await readFile(appendixD, 'utf8')
    const plain = wrapped.replace('becomingone:\n', '').replace(/^ {2}/gm, '')
    const expected = ConfigDocument.parse(wrapped, 'a').validate()
    expect(ConfigDocument.parse(plain, 'b').validate()).to.deep.equal(expected)
  })

  it('takes sections of ours beside the top key, but none twice', () => {
    const beside = ConfigDocument.parse('becomingone:\n  name: a\napi:\n  port: 4000\n', 'f')
    expect(beside.validate()).to.deep.include({ name: 'a' }).and.to.have.nested.property('api.port', 4000)
    const twice = caught(() => ConfigDocument.parse('becomingone:\n  name: a\nname: b\n', 'f').validate())
    expect(twice).to.include({ code: 'E_CONFIG_INVALID' })
    expect(twice.message).to.contain('name is there twice')
  })

  it('reads an empty file and sections without a key as defaults', () => {
    expect(ConfigDocument.parse('', 'f').validate().api.port).to.equal(3333)
    expect(ConfigDocument.parse('# nothing\napi:\n  # port: 1\n', 'f').validate().api.port).to.equal(3333)
  })

  it('names file, line and the nearest key for an unknown one', () => {
    const error = caught(() =>
      ConfigDocument.parse('name: a\napi:\n  host: 127.0.0.1\n  prot: 1\n', 'my.yaml').validate(),
    )
    expect(error).to.include({ code: 'E_CONFIG_UNKNOWN_KEY', hint: 'did you mean api.port?' })
    expect(error.message).to.equal('my.yaml:4: unknown key api.prot')
  })

  it('finds the nearest key across sections, spellings and list entries', () => {
    const hint = (text: string) => caught(() => ConfigDocument.parse(text, 'f').validate()).hint
    expect(hint('maxConnections: 3')).to.equal('did you mean network.max_connections?')
    expect(hint('apy: {}')).to.equal('did you mean api?')
    expect(hint('sync: { mesh: { peers: [{ hots: a, port: 1 }] } }')).to.equal('did you mean sync.mesh.peers[].host?')
  })

  it('names file, line, key and what is allowed for a bad value, all faults at once', () => {
    const text =
      'api:\n  port: lots\nsecurity:\n  transport: quic\nnetwork:\n  listen:\n    - /ip4/127.0.0.1/tcp/1\n    - here\n'
    const error = caught(() => ConfigDocument.parse(text, 'my.yaml').validate())
    expect(error.code).to.equal('E_CONFIG_INVALID')
    expect(error.message.split('\n')).to.deep.equal([
      'my.yaml:8: network.listen[1] cannot be "here"; allowed: a multiaddr such as /ip4/127.0.0.1/tcp/18789',
      'my.yaml:2: api.port cannot be "lots"; allowed: a whole number ≥ 0 and ≤ 65535',
      'my.yaml:4: security.transport cannot be "quic"; allowed: one of noise, tls',
    ])
  })

  it('gives the line within the source document’s top key', () => {
    const error = caught(() => ConfigDocument.parse('becomingone:\n  kairos:\n    omega: fast\n', 'f').validate())
    expect(error.message).to.match(/^f:3: kairos\.omega /)
  })

  it('refuses what is no YAML, and YAML that is no mapping, with the line', () => {
    const broken = caught(() => ConfigDocument.parse('name: a\napi: [1, 2\n', 'f'))
    expect(broken.code).to.equal('E_CONFIG_INVALID')
    expect(broken.message).to.match(/^f:\d+: /)
    expect(caught(() => ConfigDocument.parse('- a\n', 'f')).code).to.equal('E_CONFIG_INVALID')
    expect(caught(() => ConfigDocument.parse('name: a\nname: b\n', 'f')).code).to.equal('E_CONFIG_INVALID')
  })

  describe('set', () => {
    it('keeps comments, order and everything else', async () => {
      const document = await ConfigDocument.read(appendixD)
      document.set('kairos.omega', '6.5')
      const before = await readFile(appendixD, 'utf8')
      expect(document.toString()).to.equal(before.replace('omega: 2.0 #', 'omega: 6.5 #'))
    })

    it('makes sections that are missing or empty', () => {
      const document = ConfigDocument.parse('# mine\napi:\n', 'f')
      document.set('api.port', '0')
      document.set('network.allow_ranges', '10.0.0.0/8, fd00::/8')
      expect(document.toString()).to.contain('# mine')
      expect(document.validate().api.port).to.equal(0)
      expect(document.validate().network.allow_ranges).to.deep.equal(['10.0.0.0/8', 'fd00::/8'])
    })

    it('refuses unknown keys and bad values', () => {
      const document = ConfigDocument.parse('', 'f')
      expect(caught(() => document.set('api.prot', '1'))).to.include({
        code: 'E_CONFIG_UNKNOWN_KEY',
        hint: 'did you mean api.port?',
      })
      expect(caught(() => document.set('api.port', '70000')).code).to.equal('E_CONFIG_INVALID')
    })
  })

  describe('on disk', () => {
    let directory: string
    beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'kairos-config-'))))
    afterEach(() => rm(directory, { recursive: true }))

    it('writes through a link and reads back', async () => {
      const [file, alias] = [join(directory, 'real.yaml'), join(directory, 'config.yaml')]
      await writeFile(file, 'name: a # me\n')
      await symlink(file, alias)
      const document = await ConfigDocument.read(alias)
      document.set('name', 'b')
      await document.write()
      expect(await readFile(file, 'utf8')).to.equal('name: b # me\n')
    })

    it('takes a missing file as empty, and says what is wrong with a directory', async () => {
      expect((await ConfigDocument.read(join(directory, 'none.yaml'))).values()).to.deep.equal({})
      const error = await ConfigDocument.read(directory).catch((reason: unknown) => reason)
      expect(error).to.include({ code: 'E_STORAGE_UNWRITABLE' })
    })
  })
})
