import { describe, expect, it } from 'vitest';

import { Turns, type JobKind } from './turns';

describe('turns', () => {
  it('keep the kinds apart, and let nobody overtake', async () => {
    const turns = new Turns();
    const entered: string[] = [];
    const enter = (key: string, kind: JobKind): void => {
      void turns.enter(key, kind).then(() => entered.push(key));
    };
    const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    turns.retake('i0', 'inference');
    enter('i1', 'inference');
    enter('e1', 'evaluation');
    enter('i2', 'inference');
    enter('e2', 'evaluation');
    await settle();
    expect(entered).toEqual(['i1']);
    turns.leave('i0');
    await settle();
    expect(entered).toEqual(['i1']);
    turns.leave('i1');
    await settle();
    expect(entered).toEqual(['i1', 'e1']);
    turns.leave('e1');
    await settle();
    expect(entered).toEqual(['i1', 'e1', 'i2']);
    turns.leave('i2');
    await settle();
    expect(entered).toEqual(['i1', 'e1', 'i2', 'e2']);
  });

  it('pass over one that is inside already', async () => {
    const turns = new Turns();
    turns.retake('e1', 'evaluation');
    await turns.enter('e1', 'evaluation');
    await turns.enter('e2', 'evaluation');
    turns.leave('e1');
    turns.leave('e2');
    await turns.enter('i1', 'inference');
  });
});
