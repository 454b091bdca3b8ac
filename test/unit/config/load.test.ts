import { expect } from 'chai'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KEYS, editDistance, getKey } from '../../../node/config/keys.ts'
import { loadConfig, type LoadOptions } from '../../../node/config/load.ts'
import { configSchema } from '../../../node/config/schema.ts'
import { variableOf } from '../../../node/config/text.ts'
import { caught } from './caught.ts'

async function refusal(options: LoadOptions): Promise<unknown> {
  return loadConfig(options).then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('configuration', () => {
  let directory: string
  let path: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kairos-load-'))
    path = join(directory, 'config.yaml')
    await writeFile(path, 'name: file\napi:\n  port: 1000\n  host: 127.0.0.2\nsync:\n  mesh_enabled: false\n')
  })
  after(() => rm(directory, { recursive: true }))

  it('flag goes before variable before file before default, and the source is told', async () => {
    const env = { KAIROS_API_PORT: '2000', KAIROS_API_HOST: '127.0.0.3', UNRELATED: 'x' }
    const { config, sources } = await loadConfig({ path, env, flags: { 'api.port': '3000', 'node.role': undefined } })
    expect(config.api).to.include({ port: 3000, host: '127.0.0.3' })
    expect(config).to.deep.include({ name: 'file' })
    expect(sources).to.include({
      'api.port': 'flag',
      'api.host': 'variable',
      name: 'file',
      'sync.mesh_enabled': 'file',
      'node.role': 'default',
    })
  })

  it('has the documented defaults without a file', async () => {
    const { config } = await loadConfig({ env: {} })
    expect(config.network.listen).to.deep.equal(['/ip4/127.0.0.1/tcp/18789'])
    expect(config.api).to.include({ host: '127.0.0.1', port: 3333, insecure_listen: false })
    expect(config.master.tau_max).to.equal(3600)
    expect(config.emissary.tau_max).to.equal(1)
    expect(config.kairos.coherence_threshold).to.equal(0.95)
    expect(config.security.transport).to.equal('noise')
    expect(config.network.mdns).to.equal(false)
    expect(config.content.max_block_bytes).to.equal(2_097_152)
  })

  it('resolves underscores of sections and of keys by the schema', async () => {
    const env = {
      KAIROS_SYNC_MESH_ENABLED: 'false',
      KAIROS_SYNC_MESH_PEERS: '[{host: a, port: 1}]',
      KAIROS_NETWORK_RELAY_MAX_RESERVATIONS: '7',
      KAIROS_NETWORK_BOOTSTRAP: '/ip4/10.0.0.1/tcp/1,/ip4/10.0.0.2/tcp/1',
      KAIROS_SIGNAL_SPEED: 'max',
      KAIROS_LOGGING_LEVEL: 'DEBUG',
      KAIROS_API_TLS_CERT: 'c.pem',
      KAIROS_API_TLS_KEY: 'k.pem',
      KAIROS_NAME: '12',
    }
    const { config } = await loadConfig({ env })
    expect(config.sync).to.deep.include({ mesh_enabled: false, mesh: { peers: [{ host: 'a', port: 1 }] } })
    expect(config.network.relay.max_reservations).to.equal(7)
    expect(config.network.bootstrap).to.deep.equal(['/ip4/10.0.0.1/tcp/1', '/ip4/10.0.0.2/tcp/1'])
    expect(config.signal.speed).to.equal('max')
    expect(config.logging.level).to.equal('debug')
    expect(config.api.tls).to.deep.equal({ cert: 'c.pem', key: 'k.pem' })
    expect(config.name).to.equal('12')
  })

  it('gives every key a variable of its own', () => {
    const names = [...KEYS.keys()].map(variableOf)
    expect(new Set(names).size).to.equal(names.length)
  })

  it('leaves variables of the command line and of others alone', async () => {
    const env = {
      KAIROS_PATH: '/x',
      KAIROS_API: 'http://127.0.0.1:1',
      KAIROS_TOKEN: 't',
      KAIROS_SERVICE_HOST: '10.0.0.1',
    }
    expect(await refusal({ env })).to.equal(undefined)
  })

  it('refuses a variable of a section that has no such key, naming the nearest', async () => {
    const error = await refusal({ env: { KAIROS_API_PROT: '1' } })
    expect(error).to.include({ code: 'E_CONFIG_UNKNOWN_KEY', hint: 'did you mean api.port?' })
    expect(error).to.have.property('message').that.contains('KAIROS_API_PROT')
  })

  it('names the variable, the flag or the line of a bad value', async () => {
    const message = async (options: LoadOptions) => ((await refusal(options)) as Error).message
    expect(await message({ env: { KAIROS_API_PORT: 'x' } })).to.match(/^KAIROS_API_PORT: api\.port cannot be "x"/)
    expect(await message({ env: {}, flags: { 'api.port': -1 } })).to.match(
      /^flag for api\.port: api\.port cannot be -1/,
    )
    const broken = join(directory, 'broken.yaml')
    await writeFile(broken, 'name: a\nphase:\n  rate_s: never\n')
    expect(await message({ path: broken, env: {} })).to.match(/broken\.yaml:3: phase\.rate_s cannot be "never"/)
  })

  it('takes a checkpoint of the mesh’s record as HEIGHT:CID of a header', async () => {
    const cid = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
    const { config } = await loadConfig({
      env: { KAIROS_MESH_CHECKPOINT: `1200:${cid}`, KAIROS_MESH_KEEP_EPOCHS: '0' },
    })
    expect(config.mesh).to.deep.equal({ keep_epochs: 0, checkpoint: `1200:${cid}`, propose_timeout_s: 1 })
    const content = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
    for (const checkpoint of [cid, `0:${cid}`, `-1:${cid}`, `1200:${content}`, `1200:${cid}:2`, '1200:none']) {
      expect(await refusal({ env: { KAIROS_MESH_CHECKPOINT: checkpoint } })).to.include({ code: 'E_CONFIG_INVALID' })
    }
  })

  it('refuses a flag for a key that is not there', async () => {
    expect(await refusal({ env: {}, flags: { 'api.prot': '1' } })).to.include({ code: 'E_CONFIG_UNKNOWN_KEY' })
  })

  describe('keys', () => {
    it('have a description each, for the reference', () => {
      for (const { key, description } of KEYS.values()) {
        if (!key.includes('[]')) expect(description, key).to.match(/\.$/)
      }
    })

    it('show the default that the schema fills in', () => {
      const config = configSchema.parse({})
      for (const { key, type, default: initial } of KEYS.values()) {
        if (type === 'section' || key.includes('[]')) continue
        expect(getKey(config, key), key).to.deep.equal(initial)
      }
    })

    it('getKey refuses a key that is not there', () => {
      expect(caught(() => getKey(configSchema.parse({}), 'api.prot'))).to.include({ hint: 'did you mean api.port?' })
    })

    it('editDistance counts insertions, deletions and replacements', () => {
      expect(editDistance('kitten', 'sitting')).to.equal(3)
      expect(editDistance('', 'abc')).to.equal(3)
      expect(editDistance('same', 'same')).to.equal(0)
    })
  })
})
