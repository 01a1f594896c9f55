import { SluiceError } from '../contract';
import type { Pointer } from './c-api';
import { addressOf } from './native-memory';
import type { RunOptions } from './run-options';
import type { OrtSession } from './session';
import { OrtTensor } from './tensor';

/**
 * A session with its arguments laid out once, so that a run allocates nothing on the JavaScript side. Outputs given
 * as undefined are allocated by ONNX Runtime and handed over by `takeOutput`.
 */
export class BoundRun {
  private readonly inputNames: CStrings;
  private readonly outputNames: CStrings;
  private readonly inputValues: BigUint64Array;
  private readonly outputValues: BigUint64Array;
  private readonly arguments: readonly unknown[];
  /** Whatever is bound stays alive with the binding. */
  private readonly bound: { readonly inputs: OrtTensor[]; readonly outputs: (OrtTensor | undefined)[] };

  constructor(
    private session: OrtSession,
    inputs: ReadonlyMap<string, OrtTensor>,
    outputs: ReadonlyMap<string, OrtTensor | undefined>,
  ) {
    this.bound = { inputs: [...inputs.values()], outputs: [...outputs.values()] };
    this.inputNames = new CStrings([...inputs.keys()]);
    this.outputNames = new CStrings([...outputs.keys()]);
    this.inputValues = offHeap(this.bound.inputs.map((tensor) => tensor.pointer));
    this.outputValues = offHeap(this.bound.outputs.map((tensor) => tensor?.pointer ?? 0n));
    this.arguments = [
      addressOf(this.inputNames.pointers),
      addressOf(this.inputValues),
      inputs.size,
      addressOf(this.outputNames.pointers),
      outputs.size,
      addressOf(this.outputValues),
    ];
  }

  /** Another session of the same graph, for the runs to come; the one before may be released. */
  setSession(session: OrtSession): void {
    this.session = session;
  }

  /** Another tensor in the place of an input, for the runs to come. @param position among the inputs given at first. */
  setInput(position: number, tensor: OrtTensor): void {
    this.bound.inputs[position] = tensor;
    this.inputValues[position] = tensor.pointer;
  }

  /** Another tensor in the place of an output. @param position among the outputs given at first. */
  setOutput(position: number, tensor: OrtTensor): void {
    this.bound.outputs[position] = tensor;
    this.outputValues[position] = tensor.pointer;
  }

  /** Runs on the calling thread (and the pool). @throws SluiceError `runtime`. */
  run(options: RunOptions): void {
    const { api } = this.session.environment;
    const status = api.functions.Run(this.session.pointer, options.pointer, ...this.arguments) as Pointer;
    if (status !== null) throw api.raise(status);
  }

  /** The same off the JavaScript thread. Nothing bound may change until it settles; it rejects as `run` throws. */
  runAsync(options: RunOptions): Promise<void> {
    const { api } = this.session.environment;
    return new Promise((resolve, reject) => {
      const done = (error: unknown, status: Pointer): void => {
        if (error) reject(SluiceError.from(error, 'runtime'));
        else if (status !== null) reject(api.raise(status));
        else resolve();
      };
      api.functions.Run.async(this.session.pointer, options.pointer, ...this.arguments, done);
    });
  }

  /** Ownership of an output that ONNX Runtime allocated in the last run; undefined if it gave none (optional). */
  takeOutput(position: number): OrtTensor | undefined {
    const pointer = this.outputValues[position] ?? 0n;
    this.outputValues[position] = 0n;
    return pointer === 0n ? undefined : new OrtTensor(this.session.environment, pointer);
  }
}

/** NUL-terminated strings and an array of pointers to them, in memory that does not move. */
class CStrings {
  readonly pointers: BigUint64Array;
  private readonly text: Uint8Array;

  constructor(strings: readonly string[]) {
    const encoded = strings.map((text) => Buffer.from(`${text}\0`, 'utf8'));
    // Uint8Arrays over an explicit ArrayBuffer live outside the moving heap.
    this.text = new Uint8Array(
      new ArrayBuffer(
        Math.max(
          1,
          encoded.reduce((sum, item) => sum + item.length, 0),
        ),
      ),
    );
    const base = addressOf(this.text);
    let offset = 0;
    const addresses = encoded.map((item) => {
      this.text.set(item, offset);
      const address = base + BigInt(offset);
      offset += item.length;
      return address;
    });
    this.pointers = offHeap(addresses);
  }
}

function offHeap(values: readonly bigint[]): BigUint64Array {
  const array = new BigUint64Array(new ArrayBuffer(8 * Math.max(1, values.length)));
  array.set(values);
  return array;
}
