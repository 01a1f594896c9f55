import { MaskBuffer, type AttentionPass } from '../../../llm';
import { encodeModel, type OnnxModel } from '../../../onnx';
import { BoundRun, OrtSession, RunOptions, type OrtEnvironment, type OrtTensor } from '../../../ort';

/** A graph of attention whose first inputs are `queries` and `mask`, and whose output is `attended`. */
export class StoredAttention {
  private readonly session: OrtSession;
  private readonly options: RunOptions;
  private readonly mask: MaskBuffer;
  private bound: BoundRun | undefined;

  constructor(environment: OrtEnvironment, model: OnnxModel) {
    this.session = OrtSession.create(environment, encodeModel(model), { optimization: 'all' });
    this.options = RunOptions.create(environment);
    this.mask = new MaskBuffer(environment);
  }

  /**
   * @param stored tensors of the other inputs, in the graph's order.
   * @param maskedRows rows the mask is over; token i of the pass sees the first `before + i + 1` of them.
   */
  run(pass: AttentionPass, stored: readonly OrtTensor[], maskedRows: number, before: number): void {
    const inputs = [pass.queries, this.mask.causal(pass.tokens, maskedRows, before), ...stored];
    const run = (this.bound ??= new BoundRun(
      this.session,
      new Map(this.session.inputs.map(({ name }, index) => [name, inputs[index]!])),
      new Map(this.session.outputs.map(({ name }) => [name, pass.attended])),
    ));
    for (const [position, tensor] of inputs.entries()) run.setInput(position, tensor);
    run.setOutput(0, pass.attended);
    run.run(this.options);
  }

  release(): void {
    this.session.release();
    this.options.release();
    this.mask.release();
  }
}
