import { act, cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../core/contract';
import {
  FAKE_LANGUAGE_MODEL,
  fakeConversation,
  fakePiece,
  fakeProgress,
  fakeQuestion,
  fakeReply,
  fakeRounds,
  fakeStats,
} from '../../test-support/fake-language';
import { show, running, goOn, messages, requests, field, write } from '../../test-support/language-scene';

afterEach(cleanup);

const ERROR = {
  code: 'corrupt-store',
  message: 'Block 7 of layer 12 does not match its checksum. Go on: it is computed again.',
  details: { layer: 12 },
} as const;

describe('what teaches', () => {
  it('offers to import and download while there is no model', async () => {
    const bench = await show({ models: [], conversations: [] });
    expect(screen.getByText('No language model yet')).toBeDefined();
    expect(screen.getByRole('button', { name: 'Import a GGUF file or folder…' })).toBeDefined();
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Download from a hub…' })));
    act(() => void fireEvent.change(screen.getByLabelText('Repository'), { target: { value: 'owner' } }));
    expect(screen.getByText(/slash between/)).toBeDefined();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Download' }).disabled).toBe(true);
    bench.engine.script({ 'language.pull': () => FAKE_LANGUAGE_MODEL });
    act(() => void fireEvent.change(screen.getByLabelText('Repository'), { target: { value: 'o/n' } }));
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Download' })));
    expect(requests(bench, 'language.pull')[0]?.input).toMatchObject({ repository: 'o/n' });
  });

  it('shows a download’s progress, and after a failure the way to resume', async () => {
    const bench = await show({ models: [], conversations: [] });
    let fail: (error: SluiceError) => void = () => undefined;
    bench.engine.script({ 'language.pull': () => new Promise((_, reject) => (fail = reject)) });
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Download from a hub…' })));
    act(() => void fireEvent.change(screen.getByLabelText('Repository'), { target: { value: 'o/n' } }));
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Download' })));
    const { jobId } = requests(bench, 'language.pull')[0]!.input as { jobId: string };
    const job = { id: jobId, kind: 'pull', subject: 'n', startedAt: '', state: 'running' } as const;
    await act(async () =>
      bench.engine.emit('job', { ...job, phase: 'n.gguf', doneBytes: 2 ** 20, totalBytes: 4 * 2 ** 20 }),
    );
    expect(screen.getByTestId('addition-row').textContent).toContain('1.0/4.0\u2009MiB');
    await act(async () => fail(new SluiceError('io', 'The hub closed the connection.')));
    expect(screen.getByTestId('addition-row').textContent).toContain('goes on where it stopped');
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Resume' })));
    expect(requests(bench, 'language.pull')).toHaveLength(2);
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Cancel' })));
    expect(requests(bench, 'jobs.cancel')).toHaveLength(1);
  });

  it('offers a conversation where there is none', async () => {
    const bench = await show({ conversations: [] });
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Begin a conversation' })));
    expect(requests(bench, 'language.create')[0]?.input).toEqual({ model: FAKE_LANGUAGE_MODEL.name });
    expect(screen.getByTestId('conversation').dataset['conversation']).toBe('new');
    expect(screen.getAllByTestId('conversation-row')).toHaveLength(1);
  });
});

describe('a conversation', () => {
  it('shows the latest with its tokens under their origins, and says how many of each', async () => {
    await show();
    expect(messages().map(({ dataset }) => dataset['role'])).toEqual(['user', 'assistant']);
    const spans = [...messages()[1]!.querySelectorAll<HTMLElement>('span[data-origin]')];
    expect(spans.map(({ dataset }) => dataset['origin'])).toEqual([
      'accepted',
      'corrected',
      'accepted',
      'bonus',
    ]);
    const legend = screen.getByTestId('origin-legend');
    expect(legend.querySelector<HTMLElement>('[data-origin-count="accepted"]')?.dataset['count']).toBe('7');
    const { dataset } = screen.getByTestId('conversation');
    expect(dataset['origins']).toBe('true');
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Origins' })));
    expect(dataset['origins']).toBe('false');
    expect(screen.queryByTestId('origin-legend')).toBeNull();
  });

  it('shows text as text, whatever it says', async () => {
    const evil = '<img src=x onerror="alert(1)"><script>alert(2)</script> [a](javascript:alert(3))';
    await show({
      conversation: fakeConversation({
        id: 'c',
        title: evil,
        messages: [fakeQuestion('q1', evil), fakeReply({ id: 'r1', pieces: [fakePiece(evil)] })],
      }),
    });
    for (const message of messages()) {
      expect(within(message).getByTestId('message-text').textContent).toBe(evil);
      expect(message.querySelector('img, script, a')).toBeNull();
    }
  });

  it('sends on Enter, not on Shift+Enter nor on what picks a word, and follows the reply', async () => {
    const bench = await show();
    bench.engine.script({
      'language.send': ({ text }) => ({
        question: fakeQuestion('q2', text),
        reply: fakeReply({ id: 'r2', state: 'running', pieces: [] }),
      }),
    });
    write('And then?');
    act(() => void fireEvent.keyDown(field(), { key: 'Enter', shiftKey: true }));
    act(() => void fireEvent.keyDown(field(), { key: 'Enter', isComposing: true }));
    expect(requests(bench, 'language.send')).toHaveLength(0);
    await act(async () => fireEvent.keyDown(field(), { key: 'Enter' }));
    expect(requests(bench, 'language.send')[0]?.input).toEqual({ id: 'c', text: 'And then?' });
    expect(field().value).toBe('');
    expect(messages()).toHaveLength(4);
    await goOn(bench, { pieces: [fakePiece('Then ')], rounds: fakeRounds(1) });
    await goOn(bench, { pieces: [fakePiece('it ends.', 'bonus')], rounds: fakeRounds(1, 1) });
    expect(messages()[3]?.textContent).toContain('Then it ends.');
    expect(screen.getByTestId('rounds-canvas').dataset['rounds']).toBe('2');
    const done = fakeReply({
      id: 'r2',
      pieces: [fakePiece('Then '), fakePiece('it ends.', 'bonus')],
      stats: fakeStats(),
      finishReason: 'length',
    });
    await act(async () => bench.engine.emit('message', { conversationId: 'c', message: done }));
    expect(messages()[3]?.dataset['state']).toBe('done');
    const stats = within(messages()[3]!).getByTestId('reply-stats').textContent;
    expect(stats).toContain('23.4 tok/s');
    expect(stats).toContain('87% accepted');
    expect(stats).toContain('1\u2009024/1\u2009040 prompt tokens reused');
    expect(stats).toContain('cut off at the token limit');
  });

  it('keeps text the engine refused, and says why', async () => {
    const bench = await show();
    bench.engine.script({
      'language.send': () => {
        throw new SluiceError('bad-input', 'The prompt has 9120 tokens, the model attends to 8192.');
      },
    });
    write('too long');
    await act(async () => fireEvent.keyDown(field(), { key: 'Enter' }));
    expect(field().value).toBe('too long');
    expect(screen.getByRole('alert').textContent).toContain('9120 tokens');
    expect(messages()).toHaveLength(2);
  });

  it('says how far the prompt is, and stops', async () => {
    const bench = await show({ conversation: running() });
    await goOn(bench, { phase: { kind: 'loading' } });
    expect(screen.getByTestId('reply-phase').textContent).toContain('Loading the model…');
    const streamedWeights = { budgetBytes: 4 * 2 ** 30, weightBytes: 6 * 2 ** 30 };
    await goOn(bench, { phase: { kind: 'loading', streamedWeights } });
    expect(screen.getByTestId('reply-phase').textContent).toMatch(/weights take 6\.0.GiB.*leaves 4\.0.GiB/);
    await goOn(bench, { phase: { kind: 'prefill', doneTokens: 512, totalTokens: 2048 } });
    expect(screen.getByTestId('reply-phase').textContent).toContain('512/2\u2009048 tokens');
    write('next question');
    act(() => void fireEvent.keyDown(field(), { key: 'Enter' }));
    expect(requests(bench, 'language.send')).toHaveLength(0);
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Stop' })));
    expect(requests(bench, 'language.stop')[0]?.input).toEqual({ id: 'c' });
    const cancelled = fakeReply({ id: 'r2', state: 'cancelled', finishReason: 'cancelled', pieces: [] });
    await act(async () => bench.engine.emit('message', { conversationId: 'c', message: cancelled }));
    expect(messages()[3]?.textContent).toContain('Stopped.');
    expect(field().value).toBe('next question');
  });

  it('shows a failure under the text there is, and goes on in its place', async () => {
    const bench = await show({ conversation: running([fakePiece('Half a')]) });
    const failed = fakeReply({ id: 'r2', state: 'failed', error: ERROR, pieces: [fakePiece('Half a')] });
    await act(async () => bench.engine.emit('message', { conversationId: 'c', message: failed }));
    const note = within(messages()[3]!).getByRole('alert');
    expect(messages()[3]?.textContent).toContain('Half a');
    expect(note.textContent).toContain('Block 7 of layer 12');
    expect(within(note).getByRole('button', { name: 'Copy details' })).toBeDefined();
    bench.engine.script({
      'language.retry': () => ({
        reply: fakeReply({ id: 'r2', state: 'running', pieces: [fakePiece('Half a')] }),
      }),
    });
    await act(async () => fireEvent.click(within(note).getByRole('button', { name: 'Go on' })));
    expect(requests(bench, 'language.retry')[0]?.input).toEqual({ id: 'c' });
    await goOn(bench, { pieces: [fakePiece(' reply')] });
    expect(messages()).toHaveLength(4);
    expect(messages()[3]?.textContent).toContain('Half a reply');
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('grows by thousands of tokens without drawing again what stands', async () => {
    const bench = await show({ conversation: running() });
    const line = Array.from({ length: 20 }, (_, index) =>
      fakePiece(index === 19 ? 'end\n' : 'word ', index % 7 === 6 ? 'bonus' : 'accepted'),
    );
    await act(async () => {
      for (let event = 0; event < 500; event += 1) {
        bench.engine.emit(
          'languageProgress',
          fakeProgress({
            conversationId: 'c',
            messageId: 'r2',
            pieces: line,
            rounds: fakeRounds(1, event),
          }),
        );
      }
    });
    const reply = messages()[3]!;
    const text = within(reply).getByTestId('message-text');
    expect(text.children).toHaveLength(501);
    const changes: MutationRecord[] = [];
    const watcher = new MutationObserver((records) => changes.push(...records));
    watcher.observe(screen.getByTestId('message-log'), {
      childList: true,
      subtree: true,
      characterData: true,
    });
    await goOn(bench, { pieces: [fakePiece('more')] });
    changes.push(...watcher.takeRecords());
    watcher.disconnect();
    expect(text.lastElementChild?.textContent).toBe('more');
    expect(changes.length).toBeGreaterThan(0);
    for (const { target } of changes) expect(text.lastElementChild?.contains(target)).toBe(true);
  });

  it('tells a screen reader whole sentences, and the end', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const bench = await show({ conversation: running() });
    const said = () => screen.getByTestId('announcement').textContent;
    await goOn(bench, { pieces: [fakePiece('One. Tw')] });
    expect(said()).toBe('');
    await act(async () => vi.advanceTimersByTime(10_000));
    expect(said()).toBe('One.');
    await goOn(bench, { pieces: [fakePiece('o.')] });
    const done = fakeReply({ id: 'r2', pieces: [fakePiece('One. Two.')], stats: fakeStats() });
    await act(async () => bench.engine.emit('message', { conversationId: 'c', message: done }));
    expect(said()).toBe('Two. Reply complete, 42 tokens.');
    vi.useRealTimers();
  });
});

it('keeps everything readable but asks for nothing while the engine is away', async () => {
  const bench = await show();
  await act(async () => bench.setStatus({ state: 'down', reason: 'it crashed' }));
  const before = bench.engine.received.length;
  write('still typed');
  act(() => void fireEvent.keyDown(field(), { key: 'Enter' }));
  expect(field().value).toBe('still typed');
  expect(messages()).toHaveLength(2);
  for (const name of ['Send', 'Retry', 'New conversation'])
    expect(screen.getByRole<HTMLButtonElement>('button', { name }).disabled).toBe(true);
  expect(screen.getByRole<HTMLInputElement>('radio', { name: 'Lossy' }).disabled).toBe(true);
  expect(bench.engine.received).toHaveLength(before);
});
