import { EngineMemory } from '../engine-memory.ts'
import { instantiate } from '../instantiate.ts'
import type * as Glue from '../modules/bft.js'
import { decodeEffects, encodeInput, encodeStart } from './codec.ts'
import { type CreateEngine, type Engine, type EngineHost, EngineRefusal, type EngineRefusalCode } from './types.ts'

const MESSAGES: Record<EngineRefusalCode, string> = {
  E_BFT_INPUT: 'not an input that the engine takes here',
  E_BFT_MESSAGE: 'not a message of a validator',
  E_BFT_HEIGHT: 'not of this height',
  E_BFT_ROUND: 'of a round that is too far ahead',
  E_BFT_VALIDATOR: 'of nobody who has a say here',
  E_BFT_SIGNATURE: 'its signature is not valid',
  E_BFT_CERTIFICATE: 'a certificate with an invalid signature, or short of its power',
  E_BFT_EXTENSION: 'a vote whose extension is missing, out of place or not well formed',
}

// As `crates/bft/src/lib.rs` numbers them, from -1 down.
const REFUSALS = Object.keys(MESSAGES) as EngineRefusalCode[]

/** Makes engines, and signs and verifies as they do. */
export interface Bft extends CreateEngine {
  /** @param seed - 32 bytes */
  publicKey(seed: Uint8Array): Uint8Array
  sign(seed: Uint8Array, bytes: Uint8Array): Uint8Array
  verify(key: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean
}

export interface LoadOptions {
  /** `tokens`: for simulations, where a cheap hash that everybody can make stands for a signature; it is not shipped */
  readonly variant?: 'tokens'
  /** folder of the module, a URL that ends in a slash */
  readonly modules?: URL
}

/**
 * An instance of the engine's module: a trap spoils it for all that it made. The log of a start may take up to 1 GiB.
 *
 * @throws whatever reading, compiling or starting the module throws: there is no agreement without it
 */
export async function loadBft({ variant, modules }: LoadOptions = {}): Promise<Bft> {
  const file = variant === undefined ? 'bft.wasm' : `bft.${variant}.wasm`
  const { glue, memory } = await instantiate<typeof Glue>('bft', file, modules)
  const create = engines(glue, memory)
  const { public_key: publicKey, sign, verify } = glue
  return Object.assign(create, { publicKey, sign, verify })
}

function engines(glue: typeof Glue, memory: WebAssembly.Memory): CreateEngine {
  const shared = new EngineMemory(glue, memory, () => refusal('E_BFT_INPUT'))
  return (start, host) => {
    const bytes = inRange(() => encodeStart(start))
    const node = begun(() => new glue.BftNode(bytes, copying(host)))
    const engine: Engine = {
      input: (input) => {
        const length = node.input(inRange(() => encodeInput(input, shared.writer)).length)
        if (length < 0) throw refusal(REFUSALS[-length - 1]!)
        return decodeEffects(shared.effects)
      },
      free: () => node.free(),
    }
    return engine
  }
}

/** What the module shows the host is a view of its memory, which moves. */
function copying(host: EngineHost): EngineHost {
  return {
    extension: (round, value) => host.extension(round, value.slice()),
    isExtension: (validator, bytes) => host.isExtension(validator.slice(), bytes.slice()),
  }
}

function inRange<T>(encode: () => T): T {
  try {
    return encode()
  } catch (thrown) {
    if (thrown instanceof RangeError) throw refusal('E_BFT_INPUT')
    throw thrown
  }
}

function begun<T>(call: () => T): T {
  try {
    return call()
  } catch (thrown) {
    if (thrown === 'E_BFT_INPUT') throw refusal('E_BFT_INPUT')
    throw thrown
  }
}

function refusal(code: EngineRefusalCode): EngineRefusal {
  return new EngineRefusal(code, MESSAGES[code])
}
