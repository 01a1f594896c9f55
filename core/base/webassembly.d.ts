/** The part of WebAssembly's JavaScript API that core uses; Node's own types leave it to the DOM library. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: SharedArrayBuffer;
    /** Shared memory grows in place; buffers made before keep their length. */
    grow(pages: number): number;
  }
}
