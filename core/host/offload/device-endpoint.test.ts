import { expect, it } from 'vitest';

import type { ModelSummary } from '../../contract';
import { VariantInputs } from '../endpoints/variant-inputs';
import { FakeClock } from '../test-support/fake-clock';
import { DeviceEndpoint } from './device-endpoint';
import type { DeviceEndpointParts } from './device-endpoint';

it('reads the library seldom, however often it is asked, and sees what changed soon', async () => {
  const clock = new FakeClock();
  let reads = 0;
  let names = ['a', 'b'];
  const summaryOf = (name: string) => ({ name, state: 'ready' }) as ModelSummary;
  const models: Pick<DeviceEndpointParts['models'], 'list'> = {
    list: () => {
      reads += 1;
      return names.map(summaryOf);
    },
  };
  const device = new DeviceEndpoint({
    models: models as never,
    planner: undefined as never,
    loaded: undefined as never,
    inputs: new VariantInputs(summaryOf),
    variants: () => [
      { id: 'd0', model: 'a' },
      { id: 'd1', model: 'b' },
    ],
    clock,
  });
  for (let round = 0; round < 10; round += 1) {
    expect([device.offers('d0'), device.offers('d1'), device.offers('d2')]).toEqual([true, true, false]);
  }
  expect(reads).toBe(1);
  names = ['a'];
  await clock.advance(500);
  expect(device.problemOf('d1')).toBe('b is not in the library');
  expect(reads).toBe(2);
  // A clock that jumped back does not keep it from reading.
  clock.spend(-60_000);
  device.offers('d0');
  expect(reads).toBe(3);
});
