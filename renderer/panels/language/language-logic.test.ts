import { describe, expect, it, vi } from 'vitest';

import { DEFAULT_LANGUAGE_SETTINGS, SluiceError } from '../../../core/contract';
import type { Conversation } from '../../../core/contract';
import { openConversation } from '../../session';
import {
  FAKE_LANGUAGE_MODEL,
  fakeConversation,
  fakeRound,
  fakeSummary,
} from '../../test-support/fake-language';
import { createTestSession } from '../../test-support/test-session';
import type { TestSession } from '../../test-support/test-session';
import { isRepository } from './add-model';
import { allTokens, mapPath } from './cache-map';
import { configure, createConversation, nextModel } from './language-actions';
import { addAgain, addModel, chooseAndImport } from './model-actions';
import { ratioToStep, stepToRatio } from './ratio-field';
import { timeSplit } from './rounds-strip';
import { sentenceEnd } from './use-announcement';
import { formatWhen } from './when';

async function opened(): Promise<TestSession> {
  const bench = createTestSession({});
  bench.engine.script({
    'language.models': () => [FAKE_LANGUAGE_MODEL],
    'language.conversations': () => [fakeSummary({ id: 'c' }), fakeSummary({ id: 'd' })],
    'language.open': ({ id }) => fakeConversation({ id }),
  });
  bench.setStatus({ state: 'ok' });
  await openConversation(bench.session, 'c');
  return bench;
}

describe('settings on their way', () => {
  it('are sent one at a time, and of a slider’s steps only the latest', async () => {
    const { session, engine } = await opened();
    const answers: (() => void)[] = [];
    engine.script({
      'language.configure': ({ settings }) =>
        new Promise<Conversation>((resolve) =>
          answers.push(() => resolve(fakeConversation({ id: 'c', settings }))),
        ),
    });
    const sent = () =>
      engine.received.flatMap((message) =>
        message.request === 'language.configure' ? [message.input.settings.ratio] : [],
      );
    const done = [2, 3, 5, 8].map((ratio) => configure(session, { ratio }));
    expect(session.language.getState().open?.settings.ratio).toBe(8);
    await vi.waitFor(() => expect(sent()).toEqual([2]));
    answers[0]?.();
    await vi.waitFor(() => expect(sent()).toEqual([2, 8]));
    expect(session.language.getState().open?.settings.ratio).toBe(8);
    answers[1]?.();
    await Promise.all(done);
    expect(session.language.getState().open?.settings.ratio).toBe(8);
    expect(sent()).toEqual([2, 8]);
  });

  it('of a conversation that is left stay with it', async () => {
    const { session, engine } = await opened();
    let answer: () => void = () => undefined;
    engine.script({
      'language.configure': ({ id, settings }) =>
        new Promise<Conversation>((resolve) => {
          answer = () => resolve(fakeConversation({ id, settings }));
        }),
    });
    const first = configure(session, { seed: 7 });
    await openConversation(session, 'd');
    answer();
    await first;
    expect(session.language.getState()).toMatchObject({ chosen: 'd' });
    expect(session.language.getState().open?.settings).toEqual(DEFAULT_LANGUAGE_SETTINGS);
  });
});

it('begins a conversation set like the one in view, with the model picked', async () => {
  const { session, engine } = await opened();
  const other = { ...FAKE_LANGUAGE_MODEL, name: 'Qwen3' };
  session.language.getState().actions.setModels([FAKE_LANGUAGE_MODEL, other]);
  expect(nextModel(session.language.getState())).toBe(FAKE_LANGUAGE_MODEL.name);
  session.language.getState().actions.pickModel('Qwen3');
  expect(nextModel(session.language.getState())).toBe('Qwen3');
  session.language.getState().actions.setSettings('c', { ...DEFAULT_LANGUAGE_SETTINGS, mode: 'full' });
  engine.script({ 'language.create': ({ model }) => fakeConversation({ id: 'n', model }) });
  await createConversation(session, 'Qwen3');
  const request = engine.received.find((message) => message.request === 'language.create');
  expect(request?.input).toMatchObject({ model: 'Qwen3', settings: { mode: 'full' } });
  expect(session.language.getState()).toMatchObject({ chosen: 'n' });
});

describe('a model on its way in', () => {
  it('comes by a path of the dialog; a dialog that fails says so', async () => {
    const path = { kind: 'path', name: 'smol', path: '/m/smol' } as const;
    const bench = createTestSession({ host: { chooseLanguageModel: () => Promise.resolve(path) } });
    bench.setStatus({ state: 'ok' });
    bench.engine.script({ 'language.import': () => FAKE_LANGUAGE_MODEL });
    await chooseAndImport(bench.session);
    const request = bench.engine.received.find((message) => message.request === 'language.import');
    expect(request?.input).toMatchObject({ path: '/m/smol' });
    expect(bench.session.language.getState().additions).toEqual([]);
    const fails = createTestSession({
      host: { chooseLanguageModel: () => Promise.reject(new SluiceError('internal', 'no dialog')) },
    });
    await chooseAndImport(fails.session);
    expect(fails.session.language.getState().faults.models?.error.message).toBe('no dialog');
  });

  it('of a browser is sent first', async () => {
    const upload = vi.fn((_file: File, onProgress: (sentBytes: number) => void) => {
      onProgress(3);
      return Promise.resolve('/staging/a.gguf');
    });
    const bench = createTestSession({ kind: 'browser', host: { upload } });
    bench.setStatus({ state: 'ok' });
    bench.engine.script({ 'language.import': () => FAKE_LANGUAGE_MODEL });
    const file = new File(['abc'], 'a.gguf');
    await addModel(bench.session, { kind: 'file', source: { kind: 'file', name: 'a.gguf', file } });
    const request = bench.engine.received.find((message) => message.request === 'language.import');
    expect(request?.input).toMatchObject({ path: '/staging/a.gguf' });
  });

  it('that failed stays with its reason and is tried again as it was; a cancelled one goes', async () => {
    const bench = createTestSession({});
    bench.setStatus({ state: 'ok' });
    const { additions } = { additions: () => bench.session.language.getState().additions };
    bench.engine.script({
      'language.pull': () => {
        throw new SluiceError('unavailable', 'the hub does not answer');
      },
    });
    await addModel(bench.session, { kind: 'hub', repository: 'o/n', file: 'a.gguf' });
    expect(additions()).toMatchObject([{ title: 'o/n/a.gguf', phase: 'failed' }]);
    bench.engine.script({
      'language.pull': () => {
        throw new SluiceError('cancelled', 'cancelled');
      },
    });
    await addAgain(bench.session, additions()[0]!);
    expect(additions()).toEqual([]);
    const inputs = bench.engine.received.filter(({ request }) => request === 'language.pull');
    expect(inputs.map(({ input }) => input)).toMatchObject([
      { repository: 'o/n', file: 'a.gguf' },
      { repository: 'o/n', file: 'a.gguf' },
    ]);
  });
});

describe('small matters', () => {
  it.each([
    ['owner/name', true],
    ['HuggingFaceTB/SmolLM2-135M_x.y', true],
    ['owner', false],
    ['a/b/c', false],
    ['https://hub/a', false],
    ['a b/c', false],
  ])('%s names a repository: %s', (text, expected) => expect(isRepository(text)).toBe(expected));

  it('ratios and slider steps are two ways to say the same, ends included', () => {
    expect([stepToRatio(0), stepToRatio(100)]).toEqual([1.5, 64]);
    for (const ratio of [1.5, 2, 4, 8, 16, 64])
      expect(stepToRatio(ratioToStep(ratio)) / ratio).toBeCloseTo(1, 1);
  });

  it.each([
    ['One. Two', 4],
    ['no end', 0],
    ['a line\nnext', 7],
    ['version 1.5', 0],
    ['', 0],
  ])('%j has whole sentences up to %i', (text, end) => expect(sentenceEnd(text)).toBe(end));

  it('time is split by what rounds did; without rounds there is nothing to split', () => {
    const round = { ...fakeRound(0), draftMs: 20, swapMs: 5, verifyMs: 25 };
    expect(timeSplit([round, round])).toEqual({ draft: 0.4, swap: 0.1, verify: 0.5 });
    expect(timeSplit([]).draft).toBeNaN();
  });

  it('a column stands for a layer’s share of all tokens, on what lies below', () => {
    expect(mapPath([50, 0], 100)).toBe('M0.0 100.00V50.00H498.0V100.00Z');
    expect(mapPath([50], 100, [50])).toBe('M0.0 50.00V0.00H998.0V50.00Z');
    expect(mapPath([], 0)).toBe('');
  });

  it('a cache that is not verified holds more of the text than the full one, and no more than all of it', () => {
    expect(allTokens({ tokens: 32, kept: [79, 80] })).toBe(80);
    expect(allTokens({ tokens: 100, kept: [25, 25] })).toBe(100);
  });

  it('says when as shortly as it can', () => {
    const now = new Date(2026, 4, 1, 15, 0);
    expect(formatWhen(new Date(2026, 4, 1, 9, 5).toISOString(), now)).toBe('09:05');
    expect(formatWhen(new Date(2025, 11, 31).toISOString(), now)).toBe('2025-12-31');
    expect(formatWhen('never', now)).toBe('–');
  });
});
