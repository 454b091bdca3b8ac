import { instantiate } from '../instantiate.ts'
import type * as Glue from '../modules/raft.js'
import { decodeEffects, encodeInput, encodeStart } from './codec.ts'
import { type CreateEngine, type Engine, EngineRefusal, type EngineRefusalCode } from './types.ts'

const MESSAGES: Record<EngineRefusalCode, string> = {
  E_RAFT_INPUT: 'not an input that the engine takes here',
  E_RAFT_MESSAGE: 'not a message of a member that keeps the rules of Raft',
  E_RAFT_DROPPED: 'nobody can take a proposal now',
}

/**
 * An instance of the engine's module, for the members of one cell: a trap spoils it for all that it made. The log that
 * follows a start may take up to 1 GiB.
 *
 * @throws whatever reading, compiling or starting the module throws: there is no cell without it
 */
export async function loadRaft(modules?: URL): Promise<CreateEngine> {
  const { glue } = await instantiate<typeof Glue>('raft', 'raft.wasm', modules)
  return (start) => {
    const node = coded(() => new glue.RaftNode(encodeStart(start)))
    const engine: Engine = {
      input: (input) => decodeEffects(coded(() => node.input(encodeInput(input)))),
      free: () => node.free(),
    }
    return engine
  }
}

function coded<T>(call: () => T): T {
  try {
    return call()
  } catch (thrown) {
    if (typeof thrown === 'string' && Object.hasOwn(MESSAGES, thrown)) {
      throw new EngineRefusal(thrown as EngineRefusalCode, MESSAGES[thrown as EngineRefusalCode])
    }
    throw thrown
  }
}
