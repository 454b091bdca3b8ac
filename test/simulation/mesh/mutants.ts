import { decode } from '@ipld/dag-cbor'
import {
  applyBlock,
  checkFinal,
  openBlock,
  powerOf,
  totalPower,
  type Followed,
  type MeshState,
} from '../../../consensus/epoch/index.ts'
import { equalBytes } from '../../../consensus/light/bytes.ts'
import type { Application, CommitCertificate } from '../../../consensus/mesh/index.ts'
import type { MeshMutant } from './world.ts'

const ignored = () => undefined

export const MESH_MUTANTS: readonly MeshMutant[] = [
  {
    name: 'publish-before-durable',
    what: 'votes leave before the log has them',
    wal: (honest) => ({ ...honest, append: async (...write) => void honest.append(...write).catch(ignored) }),
  },
  {
    name: 'log-forgotten',
    what: 'a restart begins without the log',
    wal: (honest) => ({ ...honest, read: async () => [] }),
  },
  {
    name: 'goes-on-after-failed-fsync',
    what: 'a log that cannot be written stops nobody',
    wal: (honest) => ({ ...honest, append: (...write) => honest.append(...write).catch(ignored) }),
  },
  {
    name: 'precommit-without-block',
    what: 'a vote leaves before its block is durable',
    application: (honest) => changed(honest, { persist: async (block) => void honest.persist(block).catch(ignored) }),
  },
  {
    name: 'evidence-ignored',
    what: 'a double vote is seen and not brought in',
    lie: 'equivocate-votes',
    application: (honest) => changed(honest, { evidence: ignored }),
  },
  accepting('extension-not-checked', 'what signers say beside their vote need not be signed', 'E_EPOCH_EXTENSION'),
  accepting('report-left-out', 'a report that a third holds may be left out', 'E_EPOCH_REPORT_MISSING'),
  accepting('time-not-recomputed', 'any time of a proposer is taken', 'E_EPOCH_TIME'),
  accepting('t-not-recomputed', 'any T of a proposer is taken', 'E_EPOCH_T'),
  accepting('state-not-compared', 'a block need not say the state that it follows on', 'E_EPOCH_STATE'),
  accepting('precommits-not-counted', 'a block may carry less than a quorum', 'E_CERTIFICATE_POWER'),
  {
    name: 'signatures-not-checked',
    what: 'whatever a block carries counts as signed',
    lie: 'invalid-blocks',
    ports: (honest) => ({ ...honest, verify: () => true }),
  },
  following('synced-not-verified', 'what a peer gives is taken', () => true),
  following('half-is-enough', 'a certificate of half of the power is taken', (certificate, { validators }, value) => {
    return equalBytes(certificate.value, value) && 2 * powerOfAll(certificate, validators) >= totalPower(validators)
  }),
  following(
    'quorum-off-by-one',
    'a certificate that lacks one signer is taken',
    (certificate, { validators }, value) => {
      const more = powerOfAll(certificate, validators) + validators[0]!.power
      return equalBytes(certificate.value, value) && 3 * more > 2 * totalPower(validators)
    },
  ),
  following(
    'signers-counted-twice',
    'who signs twice counts twice',
    ({ signatures, value: of }, { validators }, value) => {
      if (!equalBytes(of, value)) return false
      return (
        3 * signatures.reduce((sum, { validator }) => sum + powerOf(validators, validator), 0) >
        2 * totalPower(validators)
      )
    },
  ),
]

/** @throws RangeError for a name that no mutant has */
export function meshMutantOf(name: string): MeshMutant {
  const mutant = MESH_MUTANTS.find((one) => one.name === name)
  if (mutant !== undefined) return mutant
  throw new RangeError(`no mutant ${name}; there are ${MESH_MUTANTS.map(({ name }) => name).join(', ')}`)
}

/** One rule of a block that nobody checks. */
function accepting(name: string, what: string, rule: string): MeshMutant {
  const check = async (honest: Application, ...of: Parameters<Application['check']>) => {
    const code = await honest.check(...of)
    return code === rule ? undefined : code
  }
  const application = (honest: Application) => changed(honest, { check: (...of) => check(honest, ...of) })
  return { name, what, lie: 'invalid-blocks', application }
}

type Certificates = (certificate: CommitCertificate, state: MeshState, value: Uint8Array) => boolean

/** Certificates that sync takes, though the product refuses them. */
function following(name: string, what: string, isTaken: Certificates): MeshMutant {
  const check: typeof checkFinal = (state, final, verify, options) => {
    const followed = checkFinal(state, final, verify, options)
    if (typeof followed !== 'string') return followed
    return unchecked(state, final, isTaken) ?? followed
  }
  return { name, what, lie: 'sync', checkFinal: check }
}

function unchecked(
  state: MeshState,
  [bytes, certified]: readonly [Uint8Array, Uint8Array],
  isTaken: Certificates,
): Followed | undefined {
  try {
    const block = openBlock(bytes)
    const certificate = readLeniently(certified)
    if (typeof block === 'string' || block.header.height !== state.height + 1) return undefined
    if (!isTaken(certificate, state, block.value)) return undefined
    const of = { ...certificate, height: block.header.height, value: block.value }
    return { header: block.header, value: block.value, certificate: of, state: applyBlock(state, block) }
  } catch {
    return undefined
  }
}

/** In any order, and any signer as often as it is there. */
function readLeniently(bytes: Uint8Array): CommitCertificate {
  type Signed = [validator: Uint8Array, signature: Uint8Array]
  const [height, round, value, signed] = decode<[number, number, Uint8Array, Signed[]]>(bytes)
  const signatures = signed.map(([validator, signature]) => ({ validator, signature }))
  return { height, round, value, signatures }
}

function powerOfAll({ signatures }: CommitCertificate, validators: MeshState['validators']): number {
  const signers = new Set(signatures.map(({ validator }) => String(validator)))
  return validators.reduce((sum, { key, power }) => sum + (signers.has(String(key)) ? power : 0), 0)
}

/** Its getters stay what they are. */
function changed(honest: Application, other: Partial<Application>): Application {
  return Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(honest),
      ...Object.getOwnPropertyDescriptors(other),
    },
  ) as Application
}
