/** The part of WebAssembly's JavaScript API that core uses; Node's own types leave it to the DOM library. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: SharedArrayBuffer;
    /** Shared memory grows in place; buffers made before keep their length. */
    grow(pages: number): number;
  }
  class Module {
    /** @throws when the bytes are no valid module, or use what this runtime does not know. */
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, Memory>>>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
}
