import { act, cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';

import { SluiceError } from '../../../core/contract';
import { FAKE_LANGUAGE_MODEL, fakeConversation, fakeSummary } from '../../test-support/fake-language';
import { show, requests, write } from '../../test-support/language-scene';

afterEach(cleanup);

describe('the list', () => {
  const row = (id: string): HTMLElement =>
    screen.getAllByTestId('conversation-row').find(({ dataset }) => dataset['conversation'] === id)!;

  it('opens by click and by key', async () => {
    const bench = await show();
    expect(row('c').dataset['chosen']).toBe('true');
    expect(row('c').textContent).toContain('1\u2009082 tok');
    const opener = row('c').querySelector<HTMLElement>('[data-open]')!;
    act(() => opener.focus());
    act(() => void fireEvent.keyDown(opener, { key: 'ArrowDown' }));
    expect(row('d').contains(document.activeElement)).toBe(true);
    await act(async () => fireEvent.click(document.activeElement!));
    expect(bench.session.language.getState().open?.summary.id).toBe('d');
    expect(screen.getByText(/Ask something: the text is drafted/)).toBeDefined();
  });

  it('renames in place: Enter takes the title, Escape leaves it', async () => {
    const bench = await show();
    bench.engine.script({ 'language.rename': ({ id, title }) => fakeSummary({ id, title }) });
    const rename = (key: string): Promise<void> =>
      act(async () => {
        fireEvent.keyDown(row('c').querySelector('[data-open]')!, { key: 'F2' });
        await Promise.resolve();
        fireEvent.change(screen.getByLabelText('Title'), { target: { value: 'Pump 7' } });
        fireEvent.keyDown(screen.getByLabelText('Title'), { key });
      });
    await rename('Escape');
    expect(requests(bench, 'language.rename')).toHaveLength(0);
    await rename('Enter');
    expect(requests(bench, 'language.rename')[0]?.input).toEqual({ id: 'c', title: 'Pump 7' });
    expect(row('c').textContent).toContain('Pump 7');
  });

  it('asks before it deletes and names what goes; the next one comes into view', async () => {
    const bench = await show();
    bench.engine.script({ 'language.delete': () => ({}) });
    const ask = (): void => act(() => void fireEvent.click(within(row('c')).getByLabelText(/^Delete/)));
    ask();
    expect(row('c').textContent).toContain('1\u2009082 tokens, 45.0\u2009MiB');
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Keep it' })));
    expect(requests(bench, 'language.delete')).toHaveLength(0);
    ask();
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Delete the conversation' })));
    expect(requests(bench, 'language.delete')[0]?.input).toEqual({ id: 'c' });
    expect(screen.getAllByTestId('conversation-row')).toHaveLength(1);
    expect(bench.session.language.getState().chosen).toBe('d');
  });
});

describe('settings', () => {
  it('act at once, and only where they mean something', async () => {
    const bench = await show();
    const sent = () => requests(bench, 'language.configure').at(-1)?.input;
    await act(async () => fireEvent.click(screen.getByRole('radio', { name: 'Lossy' })));
    expect(sent()).toMatchObject({ id: 'c', settings: { mode: 'lossy', compressor: 'snapkv' } });
    expect(screen.getByRole<HTMLInputElement>('radio', { name: 'Fixed' }).disabled).toBe(true);
    await act(async () =>
      fireEvent.change(screen.getByLabelText('Compressor'), { target: { value: 'int8' } }),
    );
    expect(sent()).toMatchObject({ settings: { mode: 'lossy', compressor: 'int8' } });
    const [ratio, slider] = screen.getAllByLabelText<HTMLInputElement>('Ratio');
    expect(ratio?.value).toBe('3.8');
    expect(slider?.disabled).toBe(true);
    const budget = screen.getByLabelText('Cache budget');
    act(() => void fireEvent.change(budget, { target: { value: 'much' } }));
    expect(screen.getByText('A size such as 64 MiB, or nothing.')).toBeDefined();
    act(() => void fireEvent.change(budget, { target: { value: '64 MiB' } }));
    await act(async () => fireEvent.blur(budget));
    expect(sent()).toMatchObject({ settings: { budgetBytes: 64 * 2 ** 20 } });
  });

  it('come back as the engine has them when it refuses', async () => {
    const bench = await show();
    bench.engine.script({
      'language.configure': () => {
        throw new SluiceError('budget-too-small', 'These caches need 12 MiB at least.');
      },
    });
    await act(async () => fireEvent.click(screen.getByRole('checkbox', { name: 'Prompt lookup' })));
    const settings = within(screen.getByTestId('language-settings'));
    expect(settings.getByRole('alert').textContent).toContain('12 MiB at least');
    expect(settings.getByRole<HTMLInputElement>('checkbox').checked).toBe(true);
  });

  it('offer the other models of the library to draft, and name one that is gone', async () => {
    const models = [
      FAKE_LANGUAGE_MODEL,
      { ...FAKE_LANGUAGE_MODEL, name: 'small' },
      { ...FAKE_LANGUAGE_MODEL, name: 'damaged', state: 'broken' as const },
    ];
    const conversation = fakeConversation({ id: 'c' });
    const settings = { ...conversation.settings, draftModel: 'lost' };
    const bench = await show({ models, conversation: { ...conversation, settings } });
    const choice = screen.getByLabelText<HTMLSelectElement>('Draft model');
    expect([...choice.options].map(({ text }) => text)).toEqual([
      'none',
      'lost (not in the library)',
      'small',
    ]);
    const choose = (value: string): Promise<boolean> =>
      act(async () => fireEvent.change(choice, { target: { value } }));
    await choose('');
    expect(requests(bench, 'language.configure')[0]?.input).toMatchObject({ settings: { draftModel: '' } });
    bench.engine.script({
      'language.configure': () => {
        throw new SluiceError(
          'bad-input',
          "small can't draft for SmolLM2: expected token 3 to be a, found b.",
        );
      },
    });
    await choose('small');
    expect(within(screen.getByTestId('language-settings')).getByRole('alert').textContent).toContain(
      "small can't draft for SmolLM2",
    );
    expect(choice.value).toBe('');
    write('Go on all the same');
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Send' }).disabled).toBe(false);
  });

  it('tell what of the weights is in memory when not all of them are', async () => {
    const conversation = fakeConversation({ id: 'c' });
    const streamedWeights = { budgetBytes: 64 << 20, weightBytes: 96 << 20, readBytesPerPass: 40 << 20 };
    await show({ conversation: { ...conversation, memory: { ...conversation.memory!, streamedWeights } } });
    expect(screen.getByTestId('streamed-weights').textContent).toMatch(
      /64\.0.MiB of 96\.0.MiB40\.0.MiB read/,
    );
  });

  it('show what they do to the cache', async () => {
    await show();
    const memory = screen.getByTestId('cache-memory').textContent;
    expect(memory).toContain('21.3/24.0\u2009MiB');
    expect(memory).toContain('full cache on disk 45.0\u2009MiB');
    expect(screen.queryByTestId('draft-model-memory')).toBeNull();
    expect(screen.queryByTestId('streamed-weights')).toBeNull();
    const map = screen.getByTestId('cache-map');
    expect(map.textContent).toContain('compressed: kept 25%');
    act(() => void fireEvent.change(within(map).getByRole('slider'), { target: { value: '2' } }));
    expect(map.textContent).toContain('Layer 2: 355 kept, 1\u2009082 in memory, 0 on disk');
  });
});
