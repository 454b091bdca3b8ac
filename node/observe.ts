import { publishCellEvents } from './cell-events.ts'
import type { NodeCell } from './cell/service.ts'
import { publishMeshEvents } from './mesh-events.ts'
import type { Operations } from './operations.ts'
import type { Parts } from './parts.ts'
import { observeCell } from './telemetry/cell-metrics.ts'
import { observeMesh } from './telemetry/mesh-metrics.ts'
import type { Metrics } from './telemetry/metrics.ts'
import { observeNode } from './telemetry/node-metrics.ts'
import { observePins } from './telemetry/pin-metrics.ts'

type Observed = Pick<Parts, 'mesh' | 'content' | 'pins' | 'events' | 'membership'> & { cell: NodeCell | undefined }

/** Metrics and events of what runs here. */
export function observe(metrics: Metrics, operations: Operations, parts: Observed): void {
  const { cell, mesh, content, pins, events, membership } = parts
  observeNode(metrics, operations)
  if (pins !== undefined) observePins(metrics, { pins, content, cell: cell?.state })
  if (cell !== undefined) {
    observeCell(metrics, cell)
    publishCellEvents(cell, events, { membership })
  }
  observeMesh(metrics, mesh)
  publishMeshEvents(mesh, events)
}
