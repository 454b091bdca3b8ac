/* tslint:disable */
/* eslint-disable */

/**
 * One height of one validator.
 */
export class BftNode {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Takes the input that the first `length` bytes of the room are. Returns how many bytes of effects follow from it.
     *
     * Refusals: -1 E_BFT_INPUT, -2 E_BFT_MESSAGE, -3 E_BFT_HEIGHT, -4 E_BFT_ROUND, -5 E_BFT_VALIDATOR, -6 E_BFT_SIGNATURE,
     * -7 E_BFT_CERTIFICATE, -8 E_BFT_EXTENSION; the node goes on as if the input had not come.
     */
    input(length: number): number;
    /**
     * * `start` - set, seed and log (`wasm/bft/codec.ts`), at most 1 GiB
     * * `host` - is asked while an input is under way, and must not throw
     *
     * Errors: E_BFT_INPUT when it is not a start, or its log not of this height.
     */
    constructor(start: Uint8Array, host: any);
}

/**
 * Where the effects of the last input are, until the next one.
 */
export function effects(): number;

/**
 * The key of a seed, 32 bytes each; nothing of a seed of another length.
 */
export function public_key(seed: Uint8Array): Uint8Array;

/**
 * Makes room for an input of `length` bytes, at most 256 KiB; what was written there stays. Returns its address, which is
 * good until the next call, or 0 when that is too much.
 */
export function room(length: number): number;

/**
 * A signature as the engine makes them, 64 bytes; nothing with a seed of another length than 32 bytes.
 */
export function sign(seed: Uint8Array, bytes: Uint8Array): Uint8Array;

/**
 * Whether a signature is valid by the rule that the engine holds to.
 */
export function verify(key: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_bftnode_free: (a: number, b: number) => void;
    readonly bftnode_input: (a: number, b: number) => number;
    readonly bftnode_new: (a: number, b: number, c: number, d: number) => void;
    readonly effects: () => number;
    readonly public_key: (a: number, b: number, c: number) => void;
    readonly room: (a: number) => number;
    readonly sign: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly verify: (a: number, b: number, c: number, d: number, e: number, f: number) => number;
    readonly __wbindgen_export: (a: number, b: number) => number;
    readonly __wbindgen_add_to_stack_pointer: (a: number) => number;
    readonly __wbindgen_export2: (a: number, b: number, c: number) => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
