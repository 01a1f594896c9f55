import { BoundRun, OrtSession, tensorOver, type OrtEnvironment, type OrtTensor } from '../ort';
import type { Step } from './program';
import type { StepGraphs, StepSignature } from './step-graph';
import type { WeightMemory } from './weight-memory';

/** A session and the names its graph uses; steps of equal shape share one. */
interface SharedSession {
  readonly session: OrtSession;
  readonly signature: StepSignature;
}

/** A step ready to be bound to activations: its session and tensors over its weights. */
export interface PreparedStep {
  readonly step: Step;
  /** Value names outside; the session's own names may be those of another tile. */
  readonly signature: StepSignature;
  readonly session: OrtSession | undefined;
  readonly sessionSignature: StepSignature;
  readonly weights: readonly OrtTensor[];
}

/** The sessions of one loaded model. Created without optimisation: the graphs are already optimised. */
export class StepSessions {
  private readonly sessions = new Map<string, SharedSession>();

  constructor(
    private readonly environment: OrtEnvironment,
    private readonly graphs: StepGraphs,
    private readonly provider: string,
  ) {}

  prepare(step: Step, index: number, memory: WeightMemory): PreparedStep {
    const signature = this.graphs.signature(step);
    if (step.kind === 'gather') {
      return { step, signature, session: undefined, sessionSignature: signature, weights: [] };
    }
    const shared = this.session(step, signature);
    const weights = signature.weights.map((weight) => {
      const { address, owner } = memory.place(index, weight.fileOffset, weight.byteLength);
      return tensorOver(this.environment, weight.dtype, weight.dims, address, weight.byteLength, owner);
    });
    return { step, signature, session: shared.session, sessionSignature: shared.signature, weights };
  }

  private session(step: Step, signature: StepSignature): SharedSession {
    const key = this.graphs.sessionKey(step);
    let shared = this.sessions.get(key);
    if (!shared) {
      const session = OrtSession.create(this.environment, this.graphs.encode(step), {
        optimization: 'none',
        provider: this.provider,
        sharedArena: this.provider === 'cpu',
      });
      shared = { session, signature };
      this.sessions.set(key, shared);
    }
    return shared;
  }

  release(): void {
    for (const { session } of this.sessions.values()) session.release();
    this.sessions.clear();
  }
}

/** Lays out the arguments of a step. Values without a tensor are allocated by ONNX Runtime. */
export function bindStep(
  prepared: PreparedStep,
  inputs: readonly OrtTensor[],
  outputs: readonly (OrtTensor | undefined)[],
): BoundRun {
  const { session, sessionSignature, weights } = prepared;
  if (!session) throw new Error('A gather has no session to bind.');
  const weightEntries = sessionSignature.weights.map((weight, at): [string, OrtTensor] => {
    return [weight.name, required(weights[at], weight.name)];
  });
  const inputEntries = sessionSignature.inputs.map((name, at): [string, OrtTensor] => {
    return [name, required(inputs[at], name)];
  });
  const outputEntries = sessionSignature.outputs.map((name, at): [string, OrtTensor | undefined] => [
    name,
    outputs[at],
  ]);
  return new BoundRun(session, new Map([...inputEntries, ...weightEntries]), new Map(outputEntries));
}

function required(tensor: OrtTensor | undefined, name: string): OrtTensor {
  if (!tensor) throw new Error(`No tensor for ${name}.`);
  return tensor;
}
