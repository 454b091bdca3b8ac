import { parseArgs } from 'node:util'
import { MUTANTS, mutantOf } from './mutants/index.ts'
import type { ScheduleOptions } from './options.ts'
import { profileOf } from './options.ts'
import { simulate } from './run.ts'
import { PIN_MUTANTS } from './pins/mutants.ts'
import { pinProfileOf } from './pins/options.ts'
import { simulatePins } from './pins/run.ts'
import { ofMesh } from './mesh/command.ts'
import { MESH_MUTANTS } from './mesh/mutants.ts'
import { LIES, type Lie } from './mesh/options.ts'
import type { Outcome } from './schedule.ts'

const USAGE = `npm run simulate -- [--seeds N] [--seed S] [--nodes N] [--seconds N] [--mutant NAME] [--json] [--trace] [--pins | --mesh]
  --seeds N      schedules to run, from --seed on (1000)
  --seed S       the first seed (1); with --seeds 1 it is replayed alone
  --nodes N      founders of the cell, 1 to 9 (5)
  --seconds N    virtual seconds of a schedule, 1 to 600 (10)
  --mutant NAME  with this planted defect: ${MUTANTS.map(({ name }) => name).join(', ')}
  --json         one line of JSON a failing schedule, and one at the end
  --trace        the last events of each failing schedule
  --pins         of who holds what in an agreed cell, for which --seed, --seeds, --mutant and --trace are meant;
                 planted defects: ${PIN_MUTANTS.map(({ name }) => name).join(', ')}
  --mesh         of validators that agree on epochs, with --nodes 4, 7 or 10 of them, one in three at most faulty: --seed,
                 --seeds, --mutant and --trace, and
  --faulty N     so many of them lie or are two, 0 to 4; with a third or more the record forks
  --lie NAME     those at fault do nothing but ${LIES.join(', ')}
                 planted defects: ${MESH_MUTANTS.map(({ name }) => name).join(', ')}`

const COMMAND = 'npm run simulate --'

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      nodes: { type: 'string' },
      seconds: { type: 'string', default: '10' },
      mutant: { type: 'string' },
      json: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      pins: { type: 'boolean', default: false },
      mesh: { type: 'boolean', default: false },
      faulty: { type: 'string' },
      lie: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(USAGE)
  const seeds = whole('--seeds', values.seeds, 1, 1e9)
  if (values.pins) return ofPins(seeds, whole('--seed', values.seed, 0, 2 ** 32 - 1), values.mutant, values.trace)
  if (values.mesh) {
    const [seed, nodes] = [whole('--seed', values.seed, 0, 2 ** 32 - 1), whole('--nodes', values.nodes ?? '4', 4, 10)]
    const faulty = values.faulty === undefined ? undefined : whole('--faulty', values.faulty, 0, 4)
    return ofMesh(seeds, { seed, nodes, faulty, lie: lieOf(values.lie), mutant: values.mutant, verbose: values.trace })
  }
  if (values.mutant !== undefined) mutantOf(values.mutant)
  const options: ScheduleOptions = {
    seed: whole('--seed', values.seed, 0, 2 ** 32 - 1),
    nodes: whole('--nodes', values.nodes ?? '5', 1, 9),
    seconds: whole('--seconds', values.seconds, 1, 600),
    mutant: values.mutant,
    verbose: values.trace,
  }
  await all(seeds, options, values.json)
}

async function all(seeds: number, options: ScheduleOptions, json: boolean): Promise<void> {
  const [began, processor] = [performance.now(), process.cpuUsage()]
  let [failed, events, answered] = [0, 0, 0]
  for (let seed = options.seed; seed < options.seed + seeds; seed++) {
    const outcome = await simulate({ ...options, seed })
    events += outcome.events
    answered += outcome.answered
    if (outcome.violation === undefined) {
      if (seeds === 1 && !json) console.log(`seed ${seed} holds, trace ${outcome.hash}`)
      continue
    }
    failed++
    console.log(json ? JSON.stringify({ ...options, ...outcome }) : told({ ...options, seed }, outcome))
  }
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(processor)
  const cpuSeconds = (user + system) / 1e6
  const [perMinute, perCpuMinute] = [seconds, cpuSeconds].map((time) => Math.round((60 * seeds) / time))
  const sum = { seeds, failed, events, answered, seconds, cpuSeconds, perMinute, perCpuMinute }
  const rate = `${perMinute} a minute, ${perCpuMinute} a minute of CPU`
  console.log(json ? JSON.stringify(sum) : `${seeds} schedules, ${failed} failed; ${rate}; ${answered} answers`)
  if (failed > 0) process.exitCode = 1
}

async function ofPins(seeds: number, first: number, mutant: string | undefined, verbose: boolean): Promise<void> {
  let [failed, moves] = [0, 0]
  for (let seed = first; seed < first + seeds; seed++) {
    const outcome = await simulatePins({ seed, mutant, verbose })
    moves += outcome.moves
    if (verbose && (outcome.violation !== undefined || seeds === 1)) console.log(outcome.lines.join('\n'))
    if (outcome.violation === undefined) continue
    failed++
    const planted = mutant === undefined ? '' : ` --mutant ${mutant}`
    console.log(`${outcome.violation.invariant}: ${outcome.violation.detail}`)
    console.log(
      `  ${COMMAND} --pins --seeds 1 --seed ${seed}${planted} --trace\n  ${JSON.stringify(pinProfileOf(seed))}`,
    )
  }
  console.log(`${seeds} schedules, ${failed} failed; ${moves} moves`)
  if (failed > 0) process.exitCode = 1
}

function told({ seed, nodes, seconds, mutant }: ScheduleOptions, { violation, hash, lines }: Outcome): string {
  const planted = mutant === undefined ? '' : ` --mutant ${mutant}`
  const replay = `${COMMAND} --seeds 1 --seed ${seed} --nodes ${nodes} --seconds ${seconds}${planted} --trace`
  const { faults, network } = profileOf(seed)
  const weather = `faults ${[...new Set(faults)].join(', ')}; ${JSON.stringify(network)}`
  return [`${violation!.invariant}: ${violation!.detail}`, `  ${replay}`, `  trace ${hash}; ${weather}`, ...lines].join(
    '\n',
  )
}

function lieOf(text: string | undefined): Lie | undefined {
  const lie = LIES.find((one) => one === text)
  if (lie !== undefined || text === undefined) return lie
  throw new RangeError(`--lie takes ${LIES.join(', ')}, not ${JSON.stringify(text)}`)
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new RangeError(`${option} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`)
}

await main().catch((error: unknown) => {
  if (!(error instanceof TypeError || error instanceof RangeError)) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
})
