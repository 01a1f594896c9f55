import { describe, expect, it } from 'vitest';
import { SluiceError } from '../contract';
import { elementCount } from '../onnx';
import { ZOO, zooNetwork } from './registry';
import { trainableParameters } from './zoo-network';

describe('zoo', () => {
  it.each(ZOO.map((network) => [network.id, network] as const))(
    '%s has its published parameters',
    (_, network) => {
      expect(trainableParameters(network.build(1))).toBe(network.parameters);
    },
  );

  it('gives YOLOv4 as many floats as its published weights file holds', () => {
    const tensors = zooNetwork('yolo-v4').build(1).graph.initializers;
    expect(tensors.reduce((sum, tensor) => sum + elementCount(tensor.dims), 0)).toBe(64_429_405);
  });

  it('has ids of its own for every network', () => {
    expect(new Set(ZOO.map(({ id }) => id)).size).toBe(ZOO.length);
  });

  it('names every network when one is unknown', () => {
    expect(() => zooNetwork('vgg-99')).toThrow(SluiceError);
    expect(() => zooNetwork('vgg-99')).toThrow(/"vgg-99".*vgg-16.*tiny-cnn/);
  });
});
