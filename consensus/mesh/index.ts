export * from './engine.ts'
export { MESH_OPTIONS, type MeshEvents, type MeshInit, type MeshOptions, type Pace } from './init.ts'
export { Mesh, type MeshStatus } from './mesh.ts'
export type * from './ports.ts'
