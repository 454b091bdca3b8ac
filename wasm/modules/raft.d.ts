/* tslint:disable */
/* eslint-disable */

/**
 * One member of one cell.
 */
export class RaftNode {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Takes the input that the first `length` bytes of the room are. Returns how many bytes of effects follow from it.
     *
     * Refusals: -1 E_RAFT_INPUT, -2 E_RAFT_MESSAGE, -3 E_RAFT_DROPPED; the node goes on as if the input had not come.
     */
    input(length: number): number;
    /**
     * * `start` - what the log holds (`wasm/raft/codec.ts`), at most 1 GiB
     *
     * Errors: E_RAFT_INPUT when it is not a start, or a log that does not hang together.
     */
    constructor(start: Uint8Array);
}

/**
 * Where the effects of the last input are, until the next one.
 */
export function effects(): number;

/**
 * Makes room for an input of `length` bytes, at most 2 MiB; what was written there stays. Returns its address, which is
 * good until the next call, or 0 when that is too much.
 */
export function room(length: number): number;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __getrandom_custom: (a: number, b: number) => number;
    readonly __wbg_raftnode_free: (a: number, b: number) => void;
    readonly effects: () => number;
    readonly raftnode_input: (a: number, b: number) => number;
    readonly raftnode_new: (a: number, b: number, c: number) => void;
    readonly room: (a: number) => number;
    readonly __wbindgen_add_to_stack_pointer: (a: number) => number;
    readonly __wbindgen_export: (a: number, b: number) => number;
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
