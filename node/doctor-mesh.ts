import type { MeshService } from './mesh/types.ts'
import type { Finding } from './operations.ts'
import type { ChainSummary, ValidatorsDocument } from './operations-mesh.ts'
import type { Parts } from './parts.ts'

/** Epochs; what is under way is a few. */
const LARGEST_LAG = 20
/** A clock this far off is a mistake, and no drift. */
const LARGEST_OFFSET_MS = 10_000
/** Fewer operators than this, and none may lie. */
const OPERATORS_FOR_ONE_FAULT = 4
/** In each round; some come a moment late, when their epoch is over. */
const MOST_REFUSED = 10
const FIRST_REFUSED = 100

const good = (check: string, message: string): Finding => ({ check, ok: true, message })
const warning = (check: string, message: string, remedy: string): Finding => ({ check, ok: true, message, remedy })
const bad = (check: string, message: string, remedy: string): Finding => ({ check, ok: false, message, remedy })

/** Known bad states of the mesh's record. */
export async function checkMesh(parts: Pick<Parts, 'mesh' | 'membership'>, now = Date.now()): Promise<Finding[]> {
  const { mesh, membership } = parts
  const chain = mesh.summary()
  const who = await mesh.validators().catch(() => undefined)
  return [
    growth(chain),
    ...(who === undefined ? [] : [quorum(chain, who), own(membership.self.peerId, who)]),
    operators(chain),
    clock(chain, mesh, now),
    trust(chain, mesh, { created: membership.genesis.created, now }),
    engine(chain),
    messages(chain),
  ]
}

function growth({ height, behind, problem, finalizedMs }: ChainSummary): Finding {
  if (problem !== null) {
    const remedy = problem.hint ?? 'see the code in the list of errors, and the log'
    return bad('record', `${problem.message} (${problem.code})`, remedy)
  }
  if (behind > LARGEST_LAG) {
    const remedy = 'wait while it catches up; should that not get less, see kairos peers and the log'
    return bad('record', `at epoch ${height}, ${behind} behind what others tell`, remedy)
  }
  const pace = finalizedMs === null ? '' : `, final after ${Math.round(finalizedMs.p50)} ms`
  return good('record', `at epoch ${height}${pace}`)
}

/** As a validator sees it; who follows need not be connected to any. */
function quorum({ role }: ChainSummary, { operators, total }: ValidatorsDocument): Finding {
  const members = operators.flatMap((operator) => operator.members).filter(({ isValidator }) => isValidator)
  const silent = members.filter(({ isSelf, isConnected }) => !isSelf && !isConnected)
  const absent = silent.reduce((sum, { power }) => sum + power, 0)
  const names = silent.map(({ name, peerId }) => name || peerId).join(', ')
  if (role === 'follower' || silent.length === 0) return good('record quorum', 'no validator is known to be away')
  const message = `${names} not connected: ${Math.floor((100 * absent) / total)} % of the power`
  if (absent * 3 < total) return warning('record quorum', message, 'start it, or see with kairos peers why not')
  const remedy = 'start validators: epochs need more than two thirds of the power; nothing is lost meanwhile'
  return bad('record quorum', `no quorum of validators: ${message}`, remedy)
}

function own(self: string, { out, revoked }: ValidatorsDocument): Finding {
  const remedy = 'this key is let in no more: set the node up anew in another directory, and join it with a new ticket'
  if (out.includes(self)) return bad('record key', 'this node contradicted itself and was put out for good', remedy)
  const revocation = revoked.find(({ peerId }) => peerId === self)
  if (revocation === undefined) return good('record key', 'counts')
  return bad('record key', `was revoked by cell ${revocation.cell} in epoch ${revocation.height}`, remedy)
}

function operators({ operators, toleratedFaults }: ChainSummary): Finding {
  const count = `${operators} operator${operators === 1 ? '' : 's'}`
  if (operators >= OPERATORS_FOR_ONE_FAULT)
    return good('record operators', `${count}; ${toleratedFaults} of them may lie`)
  const remedy = 'with four operators of like weight one may: kairos validators move operator'
  return warning('record operators', `${count}: none of them may lie`, remedy)
}

/** The time of an epoch is the median of its validators' clocks. */
function clock({ time, behind, problem }: ChainSummary, { state }: MeshService, now: number): Finding {
  if (time === null) return good('record clock', 'nothing to compare with yet')
  const age = now - Date.parse(time)
  const remedy = 'set the clock of this machine by NTP (chronyc tracking, timedatectl)'
  if (age < -LARGEST_OFFSET_MS)
    return bad('record clock', `this clock is ${Math.round(-age / 1000)} s behind the validators' median`, remedy)
  const isSilent = age > LARGEST_OFFSET_MS + 3 * state.policy.idleEpochMs
  // Where nothing becomes final the age of the last epoch says nothing of clocks, and another finding why.
  if (!isSilent || behind > LARGEST_LAG || problem !== null) return good('record clock', 'agrees with the validators')
  const message = `the last epoch is ${Math.round(age / 1000)} s old by this clock: it is ahead, or nothing becomes final`
  return bad('record clock', message, `${remedy}; see kairos validators for who is connected`)
}

/** Keys of former validators may have been stolen or sold since: what they sign proves nothing after that time. */
function trust(
  { trust, height, cid }: ChainSummary,
  { state }: MeshService,
  { created, now }: { created: number; now: number },
): Finding {
  if (trust === 'checkpoint' || now - created <= state.policy.trustingMs)
    return good('record trust', `rests on the ${trust}`)
  const days = Math.floor(state.policy.trustingMs / 86_400_000)
  return warning(
    'record trust',
    `rests on a genesis that is older than the trusting period of ${days} days`,
    `compare epoch ${height} (${cid}) with operators that you trust, then kairos config set mesh.checkpoint ${height}:${cid}`,
  )
}

function engine({ counters: { traps } }: ChainSummary): Finding {
  if (traps === 0) return good('record engine', 'has not trapped')
  return bad(
    'record engine',
    `trapped ${traps} time${traps === 1 ? '' : 's'} and was rebuilt from its log; nothing is lost`,
    'a defect: report it with kairos doctor --bundle FILE; a restart of the node clears this',
  )
}

function messages({ counters: { refusedMessages, evidence, rounds } }: ChainSummary): Finding {
  const contradicted = evidence === 0 ? '' : `; ${evidence} times a validator contradicted itself`
  if (refusedMessages <= FIRST_REFUSED + MOST_REFUSED * rounds && evidence === 0)
    return good('record messages', 'validators keep the rules')
  return warning(
    'record messages',
    `${refusedMessages} messages of peers were refused since the start${contradicted}`,
    'kairos_mesh_messages_refused_total says why; kairos epoch ls shows evidence, kairos validators who was put out',
  )
}
