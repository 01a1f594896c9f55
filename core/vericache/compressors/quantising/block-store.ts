import { CACHE_STEP_ROWS } from '../../../llm';
import {
  allocateNativeMemory,
  nativeMemoryBytes,
  tensorOver,
  type NativeMemory,
  type OrtEnvironment,
  type OrtTensor,
} from '../../../ort';

/** Tokens whose quantised keys and values lie together. */
export const QUANTISED_BLOCK = CACHE_STEP_ROWS;

const ELEMENT_BYTES = { uint8: 1, float16: 2, float32: 4 } as const;
/** Where a tensor may begin: a cache line. */
const ALIGNMENT_BYTES = 64;

/** One tensor of a store: `[blocks, ...dims]`, or `dims` alone when it is the same for all blocks. */
export interface Section {
  readonly dtype: keyof typeof ELEMENT_BYTES;
  readonly dims: readonly number[];
  readonly shared?: boolean;
}

/** What is stored of one layer, block by block, in one piece of memory; the first blocks of it as tensors. */
export class BlockStore {
  private readonly memory: NativeMemory;
  private readonly starts: readonly number[];
  private current: { readonly blocks: number; readonly tensors: readonly OrtTensor[] } | undefined;

  /** @throws SluiceError `budget-too-small`. */
  constructor(
    private readonly environment: OrtEnvironment,
    private readonly sections: readonly Section[],
    readonly capacity: number,
  ) {
    const { starts, byteLength } = layout(sections, capacity);
    this.starts = starts;
    this.memory = allocateNativeMemory(byteLength);
  }

  get byteLength(): number {
    return this.memory.bytes.byteLength;
  }

  /** A whole section in place, by its place among the sections. */
  bytes(section: number): Uint8Array {
    const start = this.starts[section]!;
    return this.memory.bytes.subarray(start, start + sectionBytes(this.sections[section]!, this.capacity));
  }

  float32(section: number): Float32Array {
    const bytes = this.bytes(section);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / ELEMENT_BYTES.float32);
  }

  /** float16 as its bits. */
  float16(section: number): Uint16Array {
    const bytes = this.bytes(section);
    return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / ELEMENT_BYTES.float16);
  }

  /** Every section, its first `blocks` blocks; valid until the next call with another number. */
  tensors(blocks: number): readonly OrtTensor[] {
    if (this.current?.blocks === blocks) return this.current.tensors;
    this.release();
    const tensors = this.sections.map((section, index) => {
      const dims = section.shared ? section.dims : [blocks, ...section.dims];
      const address = this.memory.address + BigInt(this.starts[index]!);
      const bytes = sectionBytes(section, blocks);
      return tensorOver(this.environment, section.dtype, dims, address, bytes, this.memory);
    });
    this.current = { blocks, tensors };
    return tensors;
  }

  /** Frees its tensors; its memory goes with the last reference. */
  release(): void {
    for (const tensor of this.current?.tensors ?? []) tensor.release();
    this.current = undefined;
  }
}

/** Memory of a `BlockStore`. */
export function blockStoreBytes(sections: readonly Section[], capacity: number): number {
  return nativeMemoryBytes(layout(sections, capacity).byteLength);
}

function layout(
  sections: readonly Section[],
  capacity: number,
): { readonly starts: readonly number[]; readonly byteLength: number } {
  let byteLength = 0;
  const starts = sections.map((section) => {
    const start = Math.ceil(byteLength / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    byteLength = start + sectionBytes(section, capacity);
    return start;
  });
  return { starts, byteLength };
}

function sectionBytes({ dtype, dims, shared }: Section, blocks: number): number {
  return dims.reduce((product, dim) => product * dim, shared ? 1 : blocks) * ELEMENT_BYTES[dtype];
}
