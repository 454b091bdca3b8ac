/**
 * A Kairos node as a library: what `kairos run` starts.
 *
 * ```ts
 * const paths = resolvePaths({ path: '/var/lib/kairos' })
 * const { config } = await loadConfig({ path: paths.config })
 * const node = await startNode({ paths, config, log: createLog(config.logging) })
 * for await (const row of node.operations.query('status', { all: true }, signal)) console.log(row)
 * await node.stop()
 * ```
 *
 * @packageDocumentation
 */
export { startNode, type NodeInit, type RunningNode } from './node.ts'
export type * from './operations.ts'
export { ROLES, type RoleServices, type WitnessLayer } from './roles.ts'
export { version } from './version.ts'
export { checkConfig } from './config/check.ts'
export { loadConfig, type LoadedConfig, type LoadOptions, type Source } from './config/load.ts'
export { resolvePaths, type Paths } from './config/paths.ts'
export type { Config, ConfigInput } from './config/schema.ts'
export { LOG_LEVELS, type LogLevel } from './config/sections-source.ts'
export { createLog, type Fields, type Log, type LogOptions, type NodeLog } from './telemetry/log.ts'
export type { LogLine } from './telemetry/log-ring.ts'
export { CodedError } from '../protocols/shared/errors.ts'
export {
  NOISE_ADMISSION_PROTOCOL,
  TLS_ADMISSION_PROTOCOL,
  type Right,
  type Role,
} from '../protocols/admission/index.ts'
export { PHASE_TOPIC_PREFIX } from '../protocols/phase/constants.ts'
export { QUERY_PROTOCOL } from '../protocols/query/constants.ts'
export { STATUS_PROTOCOL } from '../protocols/status/constants.ts'
