import type { AgreedPin, PinSpec } from '../../consensus/state/index.ts'
import type { PinDocument, PinExportRow, PinOptions, PinRewrite } from '../operations-pins.ts'
import { pinCidOfText } from './pin-cid.ts'

/** What all of a pin that people see. */
export function documentOf(pin: AgreedPin, nameOf: (peerId: string) => string): PinDocument {
  return {
    cid: pin.cid,
    name: pin.name,
    mode: pin.mode,
    replicationMin: pin.min,
    replicationMax: pin.max,
    allocations: [...pin.allocations],
    expires: pin.expires === undefined ? null : timeOf(pin.expires),
    metadata: { ...pin.metadata },
    origins: [...pin.origins],
    owner: pin.owner,
    priority: pin.priority,
    created: timeOf(pin.created),
    names: namesOf([...pin.allocations, pin.owner], nameOf),
  }
}

export function namesOf(peerIds: Iterable<string>, nameOf: (peerId: string) => string): Record<string, string> {
  return Object.fromEntries([...peerIds].map((peerId) => [peerId, nameOf(peerId)]))
}

/** What is absent stays as the pin has it, or is the cell's default. */
export function specOf(
  cid: string,
  options: PinOptions,
  { owner, peerIdOf, now }: { owner: string; peerIdOf: (member: string) => string; now: number },
): PinSpec {
  const { name, mode, replicationMin, replicationMax, allocations, expiresInSeconds, metadata, origins, priority } =
    options
  return {
    cid,
    owner,
    ...(name !== undefined && { name }),
    ...(mode !== undefined && { mode }),
    ...(replicationMin !== undefined && { min: replicationMin }),
    ...(replicationMax !== undefined && { max: replicationMax }),
    ...(allocations !== undefined && { allocations: allocations.map(peerIdOf) }),
    ...(expiresInSeconds !== undefined && { expires: now + Math.round(expiresInSeconds * 1000) }),
    ...(metadata !== undefined && { metadata }),
    ...(origins !== undefined && { origins: [...origins] }),
    ...(priority !== undefined && { priority }),
  }
}

/** Copies only where they were asked for: another cell has its own default. */
export function exportRowOf(pin: AgreedPin): PinExportRow {
  return {
    cid: pin.cid,
    ...(pin.name !== '' && { name: pin.name }),
    ...(pin.mode !== 'recursive' && { mode: pin.mode }),
    ...(pin.asked.min !== undefined && { replicationMin: pin.asked.min }),
    ...(pin.asked.max !== undefined && { replicationMax: pin.asked.max }),
    allocations: [...pin.allocations],
    ...(pin.expires !== undefined && { expires: timeOf(pin.expires) }),
    ...(Object.keys(pin.metadata).length > 0 && { metadata: { ...pin.metadata } }),
    ...(pin.origins.length > 0 && { origins: [...pin.origins] }),
    ...(pin.priority !== 0 && { priority: pin.priority }),
    created: timeOf(pin.created),
  }
}

export function importSpecOf(row: PinExportRow, rewrite: PinRewrite, owner: string): PinSpec {
  const { name, mode, metadata, origins, priority, expires, created } = row
  const min = rewrite.replicationMin ?? row.replicationMin
  const max = rewrite.replicationMax ?? row.replicationMax
  const allocations = rewrite.allocations ?? row.allocations
  return {
    cid: pinCidOfText(row.cid),
    owner,
    ...(name !== undefined && { name }),
    ...(mode !== undefined && { mode }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(allocations !== undefined && { allocations: [...allocations] }),
    ...(expires !== undefined && { expires: expires === null ? null : Date.parse(expires) }),
    ...(metadata !== undefined && { metadata }),
    ...(origins !== undefined && { origins }),
    ...(priority !== undefined && { priority }),
    ...(created !== undefined && { created: Date.parse(created) }),
  }
}

export function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
