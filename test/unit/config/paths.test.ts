import { expect } from 'chai'
import { join, resolve } from 'node:path'
import { applyConfiguredPaths, resolvePaths } from '../../../node/config/paths.ts'
import { configSchema } from '../../../node/config/schema.ts'

describe('paths', () => {
  it('puts everything under --path, which goes before KAIROS_PATH', () => {
    const paths = resolvePaths({ path: 'some/where', env: { KAIROS_PATH: '/other' } })
    expect(paths.root).to.equal(resolve('some/where'))
    for (const path of Object.values(paths)) expect(path.startsWith(paths.root)).to.equal(true)
    expect(resolvePaths({ env: { KAIROS_PATH: '/other' } })).to.include({
      root: '/other',
      api: '/other/api',
      apiToken: '/other/api.token',
    })
  })

  it('gives no two things one place', () => {
    const { root: _root, ...places } = resolvePaths({ path: '/k' })
    expect(new Set(Object.values(places)).size).to.equal(Object.keys(places).length)
  })

  it('follows XDG otherwise', () => {
    const paths = resolvePaths({ env: { XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: '/d', KAIROS_PATH: '' } })
    expect(paths).to.include({ root: '/d/kairos', config: '/c/kairos/config.yaml', key: '/d/kairos/node.key' })
    if (process.platform === 'linux' && process.env['XDG_DATA_HOME'] === undefined) {
      expect(resolvePaths({ env: {} }).root.endsWith(join('.local', 'share', 'kairos'))).to.equal(true)
    }
  })

  it('moves what the configuration places elsewhere', () => {
    const paths = resolvePaths({ path: '/k' })
    expect(applyConfiguredPaths(paths, configSchema.parse({}))).to.deep.equal(paths)
    const config = configSchema.parse({ storage: { path: '/big' }, memory: { storage: { path: 'mine' } } })
    expect(applyConfiguredPaths(paths, config)).to.include({
      data: '/big/db',
      blocks: '/big/blocks',
      memory: '/k/mine',
      key: paths.key,
    })
    const content = configSchema.parse({ storage: { path: '/big' }, content: { path: '/huge' } })
    expect(applyConfiguredPaths(paths, content)).to.include({ blocks: '/huge' })
  })
})
