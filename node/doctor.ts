import { access, constants } from 'node:fs/promises'
import { checkCell } from './doctor-cell.ts'
import { checkMesh } from './doctor-mesh.ts'
import { checkPins } from './doctor-pins.ts'
import type { Parts } from './parts.ts'
import type { Finding } from './operations.ts'

/** Of the block quota: above it the next `add` may be refused. */
const QUOTA_WARNING = 0.9

type Check = (parts: Parts) => Finding | Promise<Finding>

/** Every known bad state of a running node, each with what to do about it. */
const CHECKS: readonly Check[] = [listening, connected, store, quota, signal, reporting]

export async function checkNode(parts: Parts): Promise<Finding[]> {
  const own = Promise.all(CHECKS.map((check) => check(parts)))
  return (await Promise.all([own, checkCell(parts), checkMesh(parts), checkPins(parts)])).flat()
}

function finding(check: string, ok: boolean, message: string, remedy: string): Finding {
  return ok ? { check, ok, message } : { check, ok, message, remedy }
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}

function listening({ network, config }: Parts): Finding {
  const addresses = network.libp2p.getMultiaddrs()
  const wanted = config.network.listen.length > 0
  return finding(
    'listening',
    !wanted || addresses.length > 0,
    addresses.length > 0
      ? `reachable at ${counted(addresses.length, 'address', 'addresses')}`
      : 'no address is listened on',
    'set network.listen to an address of this machine with a free port',
  )
}

async function connected({ network, membership, config, refusals }: Parts): Promise<Finding> {
  const count = network.libp2p.getPeers().length
  const last = refusals.ofThisNode().at(-1)
  const refusal = last === undefined ? '' : `; the last one said ${last.code}: ${last.message}`
  const alone = membership.genesis.operators.length === 1 && config.network.bootstrap.length === 0
  return finding(
    'peers',
    count > 0 || alone,
    count > 0
      ? `${counted(count, 'peer', 'peers')} connected`
      : alone
        ? 'a mesh of one'
        : `no peer is connected${refusal}`,
    'check that a member is running and that network.bootstrap names its address; kairos peers connect ADDR tells what it says',
  )
}

async function store({ paths }: Parts): Promise<Finding> {
  const writable = await access(paths.data, constants.W_OK).then(
    () => true,
    () => false,
  )
  return finding(
    'store',
    writable,
    `${paths.data} is ${writable ? '' : 'not '}writable`,
    'set storage.path to a directory that this user may write',
  )
}

async function quota({ content }: Parts): Promise<Finding> {
  const { usedBytes, quotaBytes } = await content.usage()
  const share = usedBytes === 0 ? 0 : usedBytes / quotaBytes
  return finding(
    'quota',
    share < QUOTA_WARNING,
    `${Math.round(share * 100)} % of the block quota is used`,
    'kairos repo gc removes what nothing holds; raise content.quota_bytes, or unpin something',
  )
}

function signal({ coherence }: Parts): Finding {
  const { state, error, badSamples } = coherence.signal
  const texts = {
    none: 'no signal is configured',
    running: 'the signal runs',
    ended: 'the signal has ended',
    failed: error?.message ?? '',
  }
  const bad = badSamples > 0 ? `, ${badSamples} samples could not be read` : ''
  return finding(
    'signal',
    state !== 'failed',
    `${texts[state]}${bad}`,
    `${error?.hint ?? 'mend the source that signal.path or stdin names'}; then start the node again`,
  )
}

function reporting({ pool, membership }: Parts): Finding {
  const { weightReporting } = pool.global()
  const weighed = membership.genesis.operators.length > 1
  return finding(
    'reports',
    !weighed || weightReporting >= 2 / 3,
    `${Math.round(weightReporting * 100)} % of the weight reports`,
    'no decision is possible under 67 %: see in kairos coherence which nodes are stale, and start them',
  )
}
