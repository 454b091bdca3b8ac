import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CoherenceDocument, StatusDocument } from '../../node/operations.ts'

const REQUEST_TIMEOUT_MS = 3000

/** What one node of the mesh says of itself over HTTP; undefined while it cannot be asked. */
export interface NodeView {
  status: StatusDocument
  coherence: CoherenceDocument
}

export async function viewOf(path: string): Promise<(NodeView & { api: string }) | undefined> {
  try {
    const api = (await readFile(join(path, 'api'), 'utf8')).trim()
    const token = (await readFile(join(path, 'api.token'), 'utf8')).trim()
    const get = async <T>(route: string): Promise<T> => {
      const response = await fetch(`${api}/api/v1/${route}`, {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      })
      if (!response.ok) throw new Error(`${route}: ${response.status}`)
      return (await response.json()) as T
    }
    const [status, coherence] = await Promise.all([get<StatusDocument>('status'), get<CoherenceDocument>('coherence')])
    return { api, status, coherence }
  } catch {
    return undefined
  }
}
