import { EngineMemory } from '../engine-memory.ts'
import { instantiate } from '../instantiate.ts'
import type * as Glue from '../modules/raft.js'
import { decodeEffects, encodeInput, encodeStart } from './codec.ts'
import { type CreateEngine, type Engine, EngineRefusal, type EngineRefusalCode } from './types.ts'

const MESSAGES: Record<EngineRefusalCode, string> = {
  E_RAFT_INPUT: 'not an input that the engine takes here',
  E_RAFT_MESSAGE: 'not a message of a member that keeps the rules of Raft',
  E_RAFT_DROPPED: 'nobody can take a proposal now',
}

// As `crates/raft/src/lib.rs` numbers them, from -1 down.
const REFUSALS = ['E_RAFT_INPUT', 'E_RAFT_MESSAGE', 'E_RAFT_DROPPED'] as const

/**
 * An instance of the engine's module, for the members of one cell: a trap spoils it for all that it made. The log that
 * follows a start may take up to 1 GiB.
 *
 * @throws whatever reading, compiling or starting the module throws: there is no cell without it
 */
export async function loadRaft(modules?: URL): Promise<CreateEngine> {
  const { glue, memory } = await instantiate<typeof Glue>('raft', 'raft.wasm', modules)
  const shared = new EngineMemory(glue, memory, () => refusal('E_RAFT_INPUT'))
  return (start) => {
    const node = coded(() => new glue.RaftNode(encodeStart(start)))
    const engine: Engine = {
      input: (input) => {
        const length = node.input(encodeInput(input, shared.writer).length)
        if (length < 0) throw refusal(REFUSALS[-length - 1]!)
        return decodeEffects(shared.effects)
      },
      free: () => node.free(),
    }
    return engine
  }
}

function coded<T>(call: () => T): T {
  try {
    return call()
  } catch (thrown) {
    if (typeof thrown === 'string' && Object.hasOwn(MESSAGES, thrown)) throw refusal(thrown as EngineRefusalCode)
    throw thrown
  }
}

function refusal(code: EngineRefusalCode): EngineRefusal {
  return new EngineRefusal(code, MESSAGES[code])
}
