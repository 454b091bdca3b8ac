import { meshMutantOf } from './mutants.ts'
import { meshProfileOf, type MeshScheduleOptions } from './options.ts'
import { simulateMesh } from './run.ts'

/** `npm run simulate -- --mesh`: says each schedule that fails, how to see it again, and how quick it was. */
export async function ofMesh(seeds: number, given: MeshScheduleOptions): Promise<void> {
  const planted = given.mutant === undefined ? undefined : meshMutantOf(given.mutant)
  const options = { ...given, lie: given.lie ?? planted?.lie }
  const [began, processor] = [performance.now(), process.cpuUsage()]
  let [failed, heights, contradictions] = [0, 0, 0]
  for (let seed = options.seed; seed < options.seed + seeds; seed++) {
    const outcome = await simulateMesh({ ...options, seed })
    heights += outcome.heights
    contradictions += outcome.contradictions
    if (options.verbose && (outcome.violation !== undefined || seeds === 1)) console.log(outcome.lines.join('\n'))
    if (seeds === 1 && outcome.violation === undefined) console.log(`seed ${seed} holds, trace ${outcome.hash}`)
    if (outcome.violation === undefined) continue
    failed++
    console.log(`${outcome.violation.invariant}: ${outcome.violation.detail}\n  ${replayOf({ ...options, seed })}`)
    console.log(`  trace ${outcome.hash}; ${JSON.stringify(meshProfileOf({ ...options, seed }))}`)
  }
  const { user, system } = process.cpuUsage(processor)
  const [perMinute, perCpuMinute] = [performance.now() - began, (user + system) / 1000].map((ms) =>
    Math.round((60_000 * seeds) / ms),
  )
  const rate = `${perMinute} a minute, ${perCpuMinute} a minute of CPU`
  console.log(`${seeds} schedules, ${failed} failed; ${rate}; ${heights} epochs, ${contradictions} contradictions seen`)
  if (failed > 0) process.exitCode = 1
}

/** The command that shows one schedule again. */
export function replayOf({ seed, nodes, faulty, lie, mutant }: MeshScheduleOptions): string {
  const planted = mutant === undefined ? '' : ` --mutant ${mutant}`
  const more = (faulty === undefined ? '' : ` --faulty ${faulty}`) + (lie === undefined ? '' : ` --lie ${lie}`)
  return `npm run simulate -- --mesh --seeds 1 --seed ${seed} --nodes ${nodes}${more}${planted} --trace`
}
