/** The part of WebAssembly's JavaScript API that core uses; Node's own types leave it to the DOM library. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: SharedArrayBuffer;
    /** Shared memory grows in place; buffers made before keep their length. */
    grow(pages: number): number;
  }
  /** Compiled code, without anything to see. */
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  /** `new` throws when the bytes are no valid module, or use what this runtime does not know. */
  const Module: new (bytes: Uint8Array) => Module;
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, Memory>>>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
}
