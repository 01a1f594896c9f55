import type { Value } from './graph-builder';
import { floatAttribute } from './attributes';
import { LayerBuilder, fixedDim } from './layer-builder';
import type { ZooNetwork } from './zoo-network';

/** Residual units in the five cross-stage-partial stages of CSPDarknet53. */
const STAGES = [1, 2, 8, 8, 4];
const CLASSES = 80;
/** Three anchors a cell, each a box, an objectness and the classes. */
const HEAD_CHANNELS = 3 * (5 + CLASSES);

/**
 * `input` [1, 3, 608, 608] -> raw heads `output_76` [1, 255, 76, 76], `output_38` and `output_19`: before the
 * sigmoid and anchor decoding, as the convolutions of the three [yolo] layers give them.
 *
 * The count is confirmed by the published weights file: yolov4.weights holds 64,429,405 floats, which are these
 * parameters and 2 x 33,152 batch-norm running statistics.
 */
export const YOLO_V4: ZooNetwork = {
  id: 'yolo-v4',
  title: 'YOLOv4 608',
  source: 'Bochkovskiy et al., arXiv 2004.10934; layers of darknet yolov4.cfg, size of its yolov4.weights',
  parameters: 64_363_101,
  build(seed) {
    const b = new DarknetBuilder({ name: 'yolov4', seed });
    const [p3, p4, p5] = backbone(b, b.input('input', [1, 3, 608, 608]));
    const spp = pyramidPooling(b, p5);
    const up4 = topDown(b, spp, p4);
    const up3 = topDown(b, up4, p3);
    head(b, 'output_76', up3);
    const down4 = bottomUp(b, up3, up4);
    head(b, 'output_38', down4);
    head(b, 'output_19', bottomUp(b, down4, spp));
    return b.model();
  },
};

/** Numbers its convolutions in order, as darknet does. */
class DarknetBuilder extends LayerBuilder {
  private count = 0;

  convolution(x: Value, channels: number, kernel: number, stride = 1, gamma = 1): Value {
    const name = `models.${this.count}`;
    this.count += 1;
    const y = this.conv(x, `${name}.conv`, channels, { kernel, stride });
    return this.batchNorm(y, `${name}.bn`, { gamma });
  }

  mishConv(x: Value, channels: number, kernel: number, stride = 1, gamma = 1): Value {
    return this.mish(this.convolution(x, channels, kernel, stride, gamma));
  }

  leakyConv(x: Value, channels: number, kernel: number, stride = 1): Value {
    const y = this.convolution(x, channels, kernel, stride);
    return this.node({
      op: 'LeakyRelu',
      inputs: [y],
      shape: y.shape,
      attributes: [floatAttribute('alpha', 0.1)],
    });
  }

  /** 1x1 and 3x3 in turn: a bottleneck chain of the neck. */
  leakyChain(x: Value, width: number, length: number): Value {
    let y = x;
    for (let i = 0; i < length; i += 1)
      y = i % 2 === 0 ? this.leakyConv(y, width, 1) : this.leakyConv(y, width * 2, 3);
    return y;
  }

  linearConv(x: Value, channels: number): Value {
    const name = `models.${this.count}`;
    this.count += 1;
    return this.conv(x, `${name}.conv`, channels, { kernel: 1, bias: true, gain: 2 });
  }
}

/** CSPDarknet53: the feature maps at strides 8, 16 and 32. */
function backbone(b: DarknetBuilder, image: Value): [Value, Value, Value] {
  const maps: Value[] = [];
  let x = b.mishConv(image, 32, 3);
  STAGES.forEach((units, stage) => {
    x = crossStage(b, x, 64 * 2 ** stage, units);
    maps.push(x);
  });
  const [, , p3 = x, p4 = x, p5 = x] = maps;
  return [p3, p4, p5];
}

/** Only the first stage keeps full width in both branches; the others halve it. */
function crossStage(b: DarknetBuilder, input: Value, channels: number, units: number): Value {
  const first = units === 1;
  const width = first ? channels : channels / 2;
  const x = b.mishConv(input, channels, 3, 2);
  const bypass = b.mishConv(x, width, 1);
  let y = b.mishConv(x, width, 1);
  for (let unit = 0; unit < units; unit += 1) {
    const narrow = b.mishConv(y, first ? width / 2 : width, 1);
    y = b.add(y, b.mishConv(narrow, width, 3, 1, 0.3));
  }
  return b.mishConv(b.concat([b.mishConv(y, width, 1), bypass], 1), channels, 1);
}

/** Spatial pyramid pooling: the map beside its 5, 9 and 13 wide maxima. */
function pyramidPooling(b: DarknetBuilder, p5: Value): Value {
  const x = b.leakyChain(p5, 512, 3);
  const pools = [13, 9, 5].map((kernel) => b.maxPool(x, { kernel, stride: 1, padding: (kernel - 1) / 2 }));
  return b.leakyChain(b.concat([...pools, x], 1), 512, 3);
}

function topDown(b: DarknetBuilder, deep: Value, lateral: Value): Value {
  const width = fixedDim(deep, 1) / 2;
  const raised = b.upsample(b.leakyConv(deep, width, 1));
  return b.leakyChain(b.concat([b.leakyConv(lateral, width, 1), raised], 1), width, 5);
}

function bottomUp(b: DarknetBuilder, shallow: Value, lateral: Value): Value {
  const width = fixedDim(shallow, 1) * 2;
  return b.leakyChain(b.concat([b.leakyConv(shallow, width, 3, 2), lateral], 1), width, 5);
}

function head(b: DarknetBuilder, name: string, x: Value): void {
  b.output(name, b.linearConv(b.leakyConv(x, fixedDim(x, 1) * 2, 3), HEAD_CHANNELS));
}
