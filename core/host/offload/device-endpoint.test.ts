import { expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import type { ModelSummary } from '../../contract';
import { VariantInputs } from '../endpoints/variant-inputs';
import { FakeClock } from '../test-support/fake-clock';
import { DeviceEndpoint } from './device-endpoint';

it('reads the library seldom and plans once, however often it is asked, and sees what changed soon', async () => {
  const clock = new FakeClock();
  const counts = { reads: 0, plans: 0 };
  let names = ['a', 'b', 'large'];
  let limitBytes = 0;
  const summaryOf = (name: string) =>
    ({ name, state: 'ready', importedAt: 'then', task: { kind: 'tensor' } }) as ModelSummary;
  const models = {
    list: () => {
      counts.reads += 1;
      return names.map(summaryOf);
    },
  };
  const planner = {
    plan: (name: string) => {
      counts.plans += 1;
      if (name === 'large') throw new SluiceError('budget-too-small', 'large needs more');
      return { detail: { parameterMemoryBytes: 10 }, demands: [{ model: name }] };
    },
  };
  const device = new DeviceEndpoint({
    models: models as never,
    planner: planner as never,
    loaded: { state: () => ({ limitBytes }) } as never,
    inputs: new VariantInputs(summaryOf),
    variants: () => [
      { id: 'd0', model: 'a' },
      { id: 'd1', model: 'b' },
      { id: 'd2', model: 'large' },
    ],
    clock,
  });
  const offered = (): boolean[] => ['d0', 'd1', 'd2', 'd9'].map((id) => device.offers(id));
  for (let round = 0; round < 10; round += 1) expect(offered()).toEqual([true, true, false, false]);
  expect(counts).toEqual({ reads: 1, plans: 3 });
  expect(device.problemOf('d2')).toBe('large needs more');
  names = ['a'];
  await clock.advance(2000);
  expect(device.problemOf('d1')).toBe('b is not in the library');
  expect(counts).toEqual({ reads: 2, plans: 3 });
  // Another budget may hold what this one does not.
  limitBytes = 100;
  expect(offered()).toEqual([true, false, false, false]);
  expect(counts.plans).toBe(4);
});
