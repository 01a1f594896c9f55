import { describe, expect, it } from 'vitest';
import { SluiceError } from '../contract';
import { ZOO, zooNetwork } from './registry';
import { trainableParameters } from './zoo-network';

describe('zoo', () => {
  it.each(ZOO.map((network) => [network.id, network] as const))(
    '%s has its published parameters',
    (_, network) => {
      expect(trainableParameters(network.build(1))).toBe(network.parameters);
    },
  );

  it('names every network when one is unknown', () => {
    expect(() => zooNetwork('vgg-99')).toThrow(SluiceError);
    expect(() => zooNetwork('vgg-99')).toThrow(/"vgg-99".*vgg-16.*tiny-cnn/);
  });
});
