import type { MeshState } from '../../../consensus/epoch/index.ts'
import { keysOf, TestMesh } from './mesh.ts'

const CELLS = 16
const NODES = 63

/** Sixteen operators with a thousand nodes, one validator of each of the first four. */
export function largeMesh(): TestMesh {
  const names = Array.from({ length: CELLS }, (_, at) => `cell-${String.fromCharCode(97 + at)}`)
  const mesh = new TestMesh(Object.fromEntries(names.map((name) => [name, 1])))
  const operators = mesh.state.operators.map((operator, at) => ({
    ...operator,
    members: keysOf(mesh.newCell(operator.cell, NODES)),
    validators: at < 4 ? operator.validators : [],
  }))
  const decides = (key: Uint8Array): boolean =>
    operators.some(({ validators }) => validators.some((validator) => Buffer.compare(validator, key) === 0))
  const validators = mesh.state.validators.filter(({ key }) => decides(key))
  mesh.state = { ...mesh.state, operators, validators, nextValidators: validators } satisfies MeshState
  return mesh
}
