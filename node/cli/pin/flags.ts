import { InvalidArgumentError, Option, type Command } from 'commander'
import type { PinOptions, PinWait } from '../../operations.ts'
import { countArgument, durationArgument } from '../program.ts'

/** Of the flags that say how something is pinned. */
export interface PinFlags {
  replication?: number
  rmin?: number
  rmax?: number
  allocations?: string[]
  expireIn?: number
  metadata?: Record<string, string>
  priority?: number
}

export interface WaitFlags {
  wait?: true
  waitLimit?: number
  waitTimeout?: number
}

export function replicationFlags(command: Command): Command {
  return command
    .option('--rmin <n>', 'copies that there must be; -1 for every member', copiesArgument)
    .option('--rmax <n>', 'copies that there may be; -1 for every member', copiesArgument)
}

export function pinFlags(command: Command): Command {
  return replicationFlags(command.option('--replication <n>', 'both --rmin and --rmax', copiesArgument))
    .option('--allocations <peers>', 'peer ids or names that hold it before others, between commas', listArgument)
    .option('--expire-in <duration>', 'pinned no more after this (12h, 30d)', durationArgument)
    .addOption(metadataOption('kept with the pin; may be given again'))
    .option('--priority <n>', '0 to 9, higher is fetched first', priorityArgument)
}

export function waitFlags(command: Command): Command {
  return command
    .option('--wait', 'until the copies are held, with progress')
    .addOption(
      new Option('--wait-limit <n>', 'until this many are; all unless told')
        .argParser(countArgument(1))
        .implies({ wait: true }),
    )
    .addOption(
      new Option('--wait-timeout <duration>', 'at most this long (30s, 5m); then exit code 7')
        .argParser(durationArgument)
        .implies({ wait: true }),
    )
}

export function metadataOption(description: string): Option {
  return new Option('--metadata <key=value>', description).argParser(pairArgument)
}

export function optionsOf(flags: PinFlags): PinOptions {
  const { replication, rmin = replication, rmax = replication, allocations, expireIn, metadata, priority } = flags
  return {
    ...(rmin === undefined ? {} : { replicationMin: rmin }),
    ...(rmax === undefined ? {} : { replicationMax: rmax }),
    ...(allocations === undefined ? {} : { allocations }),
    ...(expireIn === undefined ? {} : { expiresInSeconds: Math.ceil(expireIn) }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(priority === undefined ? {} : { priority }),
  }
}

export function waitOf({ wait, waitLimit, waitTimeout }: WaitFlags): PinWait | undefined {
  if (wait === undefined) return undefined
  return {
    ...(waitLimit === undefined ? {} : { copies: waitLimit }),
    ...(waitTimeout === undefined ? {} : { timeoutMs: Math.ceil(waitTimeout * 1000) }),
  }
}

/** commander's argument parser for a list between commas. */
export function listArgument(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function copiesArgument(text: string): number {
  if (!/^(-1|[1-9]\d?)$/.test(text)) throw new InvalidArgumentError('Give 1 or more, or -1 for every member.')
  return Number(text)
}

function priorityArgument(text: string): number {
  if (!/^\d$/.test(text)) throw new InvalidArgumentError('Give a number from 0 to 9.')
  return Number(text)
}

function pairArgument(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Give KEY=VALUE.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
