/* tslint:disable */
/* eslint-disable */

/**
 * One member of one cell.
 */
export class RaftNode {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Takes one input, at most 2 MiB, and returns all that follows from it.
     *
     * Errors: E_RAFT_INPUT, E_RAFT_MESSAGE, E_RAFT_DROPPED; the node goes on as if the input had not come.
     */
    input(bytes: Uint8Array): Uint8Array;
    /**
     * * `start` - what the log holds (`wasm/raft/codec.ts`), at most 1 GiB
     *
     * Errors: E_RAFT_INPUT when it is not a start, or a log that does not hang together.
     */
    constructor(start: Uint8Array);
}

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __getrandom_custom: (a: number, b: number) => number;
    readonly __wbg_raftnode_free: (a: number, b: number) => void;
    readonly raftnode_input: (a: number, b: number, c: number, d: number) => void;
    readonly raftnode_new: (a: number, b: number, c: number) => void;
    readonly __wbindgen_add_to_stack_pointer: (a: number) => number;
    readonly __wbindgen_export: (a: number, b: number) => number;
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
