import { describe, expect, it, vi } from 'vitest';

import { LoadedModels } from './loaded-models';
import type { OtherHolder } from './loaded-models';
import { demandOf, FakeLoader } from '../test-support/fake-models';

function setUp(limitBytes = 0): { loader: FakeLoader; models: LoadedModels } {
  const loader = new FakeLoader();
  const models = new LoadedModels(loader, () => undefined);
  void models.setLimit(limitBytes);
  return { loader, models };
}

describe('LoadedModels', () => {
  it('shares a model between runs of one setting, and keeps it for the next', async () => {
    const { loader, models } = setUp();
    const [first, second] = await Promise.all([
      models.acquire(demandOf('a', 10)),
      models.acquire(demandOf('a', 10)),
    ]);
    expect(loader.loads).toBe(1);
    first.release();
    second.release();
    (await models.acquire(demandOf('a', 10))).release();
    expect(loader.loads).toBe(1);
  });

  it('unloads an idle model when the same one is wanted with another budget', async () => {
    const { loader, models } = setUp();
    (await models.acquire(demandOf('a', 10))).release();
    await models.acquire(demandOf('a', 20));
    expect([...loader.loaded]).toEqual(['/stores/a async 20']);
  });

  it('keeps few idle models', async () => {
    const { loader, models } = setUp();
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) (await models.acquire(demandOf(name, 10))).release();
    await vi.waitFor(() => expect(loader.loaded.size).toBe(4));
    expect([...loader.loaded][0]).toContain('/c ');
  });

  it('keeps as many more as are asked for in turn, within the limit', async () => {
    const { loader, models } = setUp();
    const useAll = async (): Promise<void> => {
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
        (await models.acquire(demandOf(name, 10))).release();
      }
    };
    await models.keepIdle(2);
    await useAll();
    await useAll();
    expect(loader.loads).toBe(6);
    await models.setLimit(50);
    expect(loader.loaded.size).toBe(5);
    await models.keepIdle(0);
    expect(loader.loaded.size).toBe(4);
  });

  it('refuses what does not fit beside the models in use and says who holds what', async () => {
    const { models } = setUp(100);
    await models.acquire(demandOf('a', 70));
    await expect(models.acquire(demandOf('b', 40))).rejects.toMatchObject({
      code: 'budget-too-small',
      message: expect.stringContaining('a: 70 B') as string,
      details: { minimumBytes: 110, budgetBytes: 100, heldBytes: 70 },
    });
    await models.acquire(demandOf('c', 30));
    expect(models.state().holders.map(({ model }) => model)).toEqual(['a', 'c']);
  });

  it('makes room by unloading idle models, the oldest first', async () => {
    const { loader, models } = setUp(100);
    for (const name of ['a', 'b']) (await models.acquire(demandOf(name, 40))).release();
    await models.acquire(demandOf('c', 50));
    expect([...loader.loaded]).toEqual(['/stores/b async 40', '/stores/c async 50']);
  });

  it('a lower limit unloads idle models and leaves those in use', async () => {
    const { loader, models } = setUp();
    await models.acquire(demandOf('a', 40));
    (await models.acquire(demandOf('b', 40))).release();
    await models.setLimit(20);
    expect([...loader.loaded]).toEqual(['/stores/a async 40']);
    expect(models.state().limitBytes).toBe(20);
  });

  it('a model that fails to load holds nothing', async () => {
    const { loader, models } = setUp(50);
    loader.broken.add('/stores/a');
    await expect(models.acquire(demandOf('a', 40))).rejects.toMatchObject({ code: 'io' });
    expect(models.state().holders).toEqual([]);
    loader.broken.clear();
    await models.acquire(demandOf('a', 40));
  });

  it('evicts only what no run uses', async () => {
    const { loader, models } = setUp();
    const lease = await models.acquire(demandOf('a', 40));
    await expect(models.evict('a')).rejects.toMatchObject({ code: 'conflict' });
    lease.release();
    await models.evict('a');
    expect(loader.loaded.size).toBe(0);
  });
});

describe('something else under the limit', () => {
  class Other implements OtherHolder {
    idle = true;
    unloads = 0;
    constructor(
      readonly model: string,
      readonly parameterBytes: number,
    ) {}
    activationBytes = (): number => 3;
    isIdle = (): boolean => this.idle;
    unload = (): Promise<void> => {
      this.unloads += 1;
      return Promise.resolve();
    };
  }

  it('is shown until it is dropped, and makes idle models go', async () => {
    const { loader, models } = setUp(100);
    (await models.acquire(demandOf('a', 60))).release();
    const drop = await models.hold(new Other('chat', 70));
    expect(loader.loaded.size).toBe(0);
    expect(models.state().holders).toEqual([
      { model: 'chat', ringBytes: 0, residentBytes: 70, constantBytes: 0, activationBytes: 3 },
    ]);
    drop();
    drop();
    expect(models.state().holders).toEqual([]);
  });

  it('is refused when models in use leave no room, and refuses them while it is in use', async () => {
    const { models } = setUp(100);
    const lease = await models.acquire(demandOf('a', 60));
    const chat = new Other('chat', 70);
    await expect(models.hold(chat)).rejects.toMatchObject({ code: 'budget-too-small' });
    lease.release();
    chat.idle = false;
    await models.hold(chat);
    await expect(models.acquire(demandOf('a', 60))).rejects.toMatchObject({
      code: 'budget-too-small',
      message: expect.stringContaining('chat: 70 B') as string,
    });
    expect(chat.unloads).toBe(0);
  });

  it('is unloaded while idle, for a model or for a lower limit', async () => {
    const { models } = setUp(100);
    const [first, second] = [new Other('first', 70), new Other('second', 70)];
    await models.hold(first);
    await models.acquire(demandOf('a', 60));
    expect(first.unloads).toBe(1);
    await models.setLimit(0);
    await models.hold(second);
    await models.setLimit(100);
    expect(second.unloads).toBe(1);
    expect(models.state().holders.map(({ model }) => model)).toEqual(['a']);
  });
});
