export * from './engine.ts'
export type { MeshEvents, MeshOptions, Pace } from './init.ts'
export { Mesh, type MeshStatus } from './mesh.ts'
export type * from './ports.ts'
