import { fileURLToPath } from 'node:url'
import type { Report } from './figure.ts'
import { onLoopbackOnly, refusal } from './loopback-only.ts'

const INSIDE = fileURLToPath(new URL('./kubo-inside.ts', import.meta.url))

export interface PeerProgram {
  /** that its figures begin with */
  name: string
  /** what the figures begin with that they are held against */
  beside: string
  /** by binary, its version; undefined when it is not on the PATH */
  versions: Record<string, string | undefined>
}

/**
 * @param args - of kubo-inside.ts
 * @returns what was found there, or a remark that says why there is nothing
 */
export async function measureInside<T>(
  { name, beside, versions }: PeerProgram,
  args: readonly (string | number)[],
  report: (found: T) => Report,
): Promise<Report> {
  const missing = Object.keys(versions).filter((binary) => versions[binary] === undefined)
  if (missing.length > 0) return notMeasured(name, `the PATH has no ${missing.join(', and no ')}`)
  const refused = refusal()
  if (refused !== undefined) return notMeasured(name, `a network with nothing but loopback is refused: ${refused}`)
  try {
    const { figures, remarks } = report(await onLoopbackOnly<T>(INSIDE, args.map(String)))
    return { figures: figures.map((figure) => ({ ...figure, baseline: figure.name.replace(name, beside) })), remarks }
  } catch (error) {
    return notMeasured(name, (error as Error).message)
  }
}

function notMeasured(name: string, why: string): Report {
  return { figures: [], remarks: [`${name} was asked for, and was not measured: ${why}.`] }
}
