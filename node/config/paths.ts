import envPaths from 'env-paths'
import { join, resolve } from 'node:path'
import type { Config } from './schema.ts'

/** Where everything of one node lies. All absolute. */
export interface Paths {
  /** The node's own directory, 0700. */
  root: string
  /** The YAML configuration. */
  config: string
  /** The node's ed25519 key, 0600. */
  key: string
  genesis: string
  certificate: string
  /** URL of the running node's API. */
  api: string
  /** Bearer token for that URL, 0600. */
  apiToken: string
  lock: string
  /** Directory of the database. */
  data: string
  /** Directory of content blocks. */
  blocks: string
  /** Directory of temporal signatures and glyphs. */
  memory: string
  log: string
}

/**
 * XDG places, or everything under one directory when `--path` or `KAIROS_PATH` names one.
 *
 * @param options.path - the flag; it goes before the variable
 */
export function resolvePaths(options: { path?: string | undefined; env?: NodeJS.ProcessEnv } = {}): Paths {
  const env = options.env ?? process.env
  const own = options.path ?? env['KAIROS_PATH']
  if (own !== undefined && own !== '') return layOut(resolve(own), resolve(own))
  const xdg = envPaths('kairos', { suffix: '' })
  return layOut(xdgDirectory(env['XDG_DATA_HOME'], xdg.data), xdgDirectory(env['XDG_CONFIG_HOME'], xdg.config))
}

/** Moves what the configuration places elsewhere: `storage.path`, `content.path`, `memory.storage.path`. */
export function applyConfiguredPaths(paths: Paths, config: Config): Paths {
  const { storage, content, memory } = config
  return {
    ...paths,
    data: storage.path === undefined ? paths.data : resolve(paths.root, storage.path, 'db'),
    blocks: resolve(paths.root, content.path ?? (storage.path === undefined ? 'blocks' : join(storage.path, 'blocks'))),
    memory: resolve(paths.root, memory.storage.path ?? 'memory'),
  }
}

function xdgDirectory(base: string | undefined, fallback: string): string {
  return base === undefined || base === '' ? fallback : join(base, 'kairos')
}

function layOut(root: string, configDirectory: string): Paths {
  return {
    root,
    config: join(configDirectory, 'config.yaml'),
    key: join(root, 'node.key'),
    genesis: join(root, 'genesis'),
    certificate: join(root, 'certificate'),
    api: join(root, 'api'),
    apiToken: join(root, 'api.token'),
    lock: join(root, 'lock'),
    data: join(root, 'db'),
    blocks: join(root, 'blocks'),
    memory: join(root, 'memory'),
    log: join(root, 'kairos.log'),
  }
}
