/**
 * What every host of ours (Node, browsers) has of WebAssembly and of buffers, and TypeScript declares only together with the whole DOM.
 */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer
  }
  interface Module {
    readonly [Symbol.toStringTag]: 'WebAssembly.Module'
  }
  function validate(bytes: Uint8Array): boolean
  function compile(bytes: BufferSource): Promise<Module>
}

type BufferSource = ArrayBufferView<ArrayBuffer> | ArrayBuffer
