import { dtypeNameOf } from '../base';
import { SluiceError, type TensorSpec } from '../contract';
import type { OutNumber, OutPointer, Pointer } from './c-api';
import type { OrtEnvironment } from './environment';
import { readCString } from './native-memory';
import { createOptions, type SessionOptions } from './session-options';
import { readTensorInfo } from './tensor';

/** What a session takes and gives, in its own order. */
export interface SessionPorts {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** A loaded graph. Release it once; runs must have ended. */
export class OrtSession {
  private constructor(
    readonly environment: OrtEnvironment,
    readonly pointer: bigint,
    readonly inputs: readonly TensorSpec[],
    readonly outputs: readonly TensorSpec[],
  ) {}

  /**
   * @param model path of an .onnx file, or its bytes.
   * @param ports what the model is known to have; asking ONNX Runtime takes as long as creating a small session.
   * @throws SluiceError `runtime`.
   */
  static create(
    environment: OrtEnvironment,
    model: string | Uint8Array,
    options: SessionOptions,
    ports?: SessionPorts,
  ): OrtSession {
    const { api } = environment;
    const native = createOptions(environment, options);
    try {
      const out: OutPointer = [null];
      if (typeof model === 'string') api.check('CreateSession', environment.envPointer, model, native, out);
      else api.check('CreateSessionFromArray', environment.envPointer, model, model.byteLength, native, out);
      const pointer = out[0] as bigint;
      return new OrtSession(
        environment,
        pointer,
        ports?.inputs ?? describe(environment, pointer, 'Input'),
        ports?.outputs ?? describe(environment, pointer, 'Output'),
      );
    } finally {
      api.release('ReleaseSessionOptions', native);
    }
  }

  /**
   * The same off the JavaScript thread; several may be created at a time.
   * @param model its bytes, in memory that does not move.
   */
  static async createAsync(
    environment: OrtEnvironment,
    model: Uint8Array,
    options: SessionOptions,
    ports: SessionPorts,
  ): Promise<OrtSession> {
    const { api, envPointer } = environment;
    const native = createOptions(environment, options);
    try {
      const out: OutPointer = [null];
      const status = await new Promise<Pointer>((resolve, reject) => {
        const done = (error: unknown, result: Pointer): void => {
          if (error) reject(SluiceError.from(error, 'runtime'));
          else resolve(result);
        };
        const { byteLength } = model;
        api.functions.CreateSessionFromArray.async(envPointer, model, byteLength, native, out, done);
      });
      if (status !== null) throw api.raise(status);
      return new OrtSession(environment, out[0] as bigint, ports.inputs, ports.outputs);
    } finally {
      api.release('ReleaseSessionOptions', native);
    }
  }

  /**
   * Takes over a session that another thread created in this process, from its `pointer`: whoever adopts it releases it,
   * and the other must not.
   * @param environment open in this thread.
   */
  static adopt(environment: OrtEnvironment, pointer: bigint, ports: SessionPorts): OrtSession {
    return new OrtSession(environment, pointer, ports.inputs, ports.outputs);
  }

  /** Once; its tensors stay their owners'. */
  release(): void {
    this.environment.api.release('ReleaseSession', this.pointer);
  }
}

function describe(environment: OrtEnvironment, session: bigint, side: 'Input' | 'Output'): TensorSpec[] {
  const { api } = environment;
  const count: OutNumber = [0];
  api.check(`SessionGet${side}Count`, session, count);
  return Array.from({ length: Number(count[0]) }, (_, index) => {
    const name: OutPointer = [null];
    api.check(`SessionGet${side}Name`, session, index, environment.allocator, name);
    const text = readCString(name[0] as bigint);
    api.check('AllocatorFree', environment.allocator, name[0]);
    const info: OutPointer = [null];
    api.check(`SessionGet${side}TypeInfo`, session, index, info);
    try {
      const tensorInfo: OutPointer = [null];
      api.check('CastTypeInfoToTensorInfo', info[0], tensorInfo);
      if (tensorInfo[0] === null) return { name: text, dtype: 'not-a-tensor', shape: [] };
      const { dtype, dims } = readTensorInfo(environment, tensorInfo[0]);
      return { name: text, dtype: dtypeNameOf(dtype), shape: dims };
    } finally {
      api.release('ReleaseTypeInfo', info[0]);
    }
  });
}
