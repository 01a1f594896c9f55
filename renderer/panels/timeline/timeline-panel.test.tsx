import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../core/contract';
import type { RunRecord } from '../../../core/contract';
import { SessionContext } from '../../session';
import type { Session } from '../../session';
import { FAKE_REMOTE_TRACE, fakeDecision, fakeUser } from '../../test-support/fake-offload';
import { traceOf } from '../../timeline-engine/trace-of';
import { sortRows } from './sort-rows';
import { testSession } from './test-session';
import type { Answers } from './test-session';
import { TimelinePanel } from './timeline-panel';
import { createTimelineStore, showDecision } from './timeline-store';

const TRACE = traceOf([
  ['read', 0, 0, 1000, 2 ** 20],
  ['wait', 0, 0, 1000, 2 ** 20],
  ['compute', 0, 1000, 3000, 2 ** 20],
]);

function runOf(id: string, startedAt: string): RunRecord {
  const base = { model: 'resnet50', mode: 'async', budgetBytes: 64 * 2 ** 20, inputName: 'noise' } as const;
  return { ...base, id, startedAt, state: 'done', hasTrace: true };
}

async function show(answers: Answers, runs: readonly RunRecord[], live = true): Promise<Session> {
  const session = testSession(answers);
  session.runs.getState().actions.replaceAll(runs);
  if (live) session.engine.getState().actions.setStatus({ state: 'ok' });
  await act(async () => {
    render(
      <SessionContext value={session}>
        <TimelinePanel />
      </SessionContext>,
    );
  });
  return session;
}

afterEach(cleanup);

describe('the Timeline panel', () => {
  it('teaches when there is no run, and leads to Run', async () => {
    const session = await show({}, []);
    fireEvent.click(screen.getByRole('button', { name: 'Go to Run' }));
    expect(session.layout.getState().panel).toBe('run');
  });

  it('shows the newest run’s trace, its spans and its sums', async () => {
    const asked: string[] = [];
    const answer = ({ runId }: { readonly runId: string }) => {
      asked.push(runId);
      return TRACE;
    };
    await show({ 'runs.trace': answer }, [
      runOf('old', '2026-01-01T10:00:00Z'),
      runOf('new', '2026-01-01T11:00:00Z'),
    ]);
    expect(asked).toEqual(['new']);
    expect(screen.getByTestId('timeline-canvas').dataset['spans']).toBe('3');
    const sums = screen.getByTestId('timeline-sums').textContent;
    expect(sums).toContain('4.00\u2009ms');
    expect(sums).toContain('1.0\u2009MiB at 1.05\u2009GB/s');
    expect(sums).toContain('75.0%');
    expect(screen.getByRole('table', { name: 'Layers' }).getAttribute('aria-rowcount')).toBe('2');
  });

  it('says why a trace did not come, and tries again', async () => {
    let broken = true;
    const answer = () => {
      if (broken) throw new SluiceError('not-found', 'Run a kept no trace. Run the model again.');
      return TRACE;
    };
    await show({ 'runs.trace': answer }, [runOf('a', '2026-01-01T10:00:00Z')]);
    expect(screen.getByRole('alert').textContent).toContain('Run the model again');
    broken = false;
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Try again' })));
    expect(screen.getByTestId('timeline-canvas')).toBeDefined();
  });

  it('lays a second run beside the first', async () => {
    const runs = [runOf('a', '2026-01-01T11:00:00Z'), runOf('b', '2026-01-01T10:00:00Z')];
    await show({ 'runs.trace': () => TRACE }, runs);
    await act(async () => fireEvent.change(screen.getByLabelText('Compare'), { target: { value: 'b' } }));
    expect(screen.getByTestId('timeline-canvas').dataset['spans']).toBe('6');
    expect(screen.getByRole('columnheader', { name: 'Wait B ms' })).toBeDefined();
  });

  it('saves a report of the run, or of both that are compared', async () => {
    const asked: unknown[] = [];
    const answers: Answers = {
      'runs.trace': () => TRACE,
      'report.make': ({ what }) => {
        asked.push(what);
        return { name: 'report.html', title: 'Report', html: '<!doctype html>' };
      },
    };
    const save = async (): Promise<void> =>
      act(async () => void fireEvent.click(screen.getByRole('button', { name: 'Save report' })));
    await show(answers, [runOf('a', '2026-01-01T11:00:00Z'), runOf('b', '2026-01-01T10:00:00Z')]);
    await save();
    expect(screen.getByTestId('report-status').textContent).toContain('report.html');
    await act(async () => fireEvent.change(screen.getByLabelText('Compare'), { target: { value: 'b' } }));
    expect(screen.getByTestId('report-status').textContent).toBe('');
    await save();
    expect(asked).toEqual([
      { kind: 'run', run: 'a' },
      { kind: 'runs', from: 'a', to: 'b' },
    ]);
  });

  it('shows every span as figures on demand, of two traces which one it is of', async () => {
    await show({ 'runs.trace': () => TRACE }, [
      runOf('a', '2026-01-01T11:00:00Z'),
      runOf('b', '2026-01-01T10:00:00Z'),
    ]);
    await act(async () => void fireEvent.click(screen.getByRole('button', { name: /Show as table/ })));
    const table = screen.getByRole('table', { name: /Spans/ });
    expect(table.getAttribute('aria-rowcount')).toBe('4');
    expect(table.textContent).toContain('Duration, ms');
    expect(screen.getByRole('figure', { name: /^Spans of .*: 3$/ })).toBeDefined();
  });

  it('chooses spans by key and tells their figures', async () => {
    await show({ 'runs.trace': () => TRACE }, [runOf('a', '2026-01-01T11:00:00Z')]);
    act(() => void fireEvent.keyDown(screen.getByTestId('timeline-canvas'), { key: 'n' }));
    const inspector = screen.getByRole('complementary', { name: 'Span' });
    expect(inspector.textContent).toContain('ended byread of 1.0\u2009MiB, 1.00\u2009ms');
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Go to the read that ended it' })));
    expect(inspector.textContent).toContain('rate1.05\u2009GB/s');
    act(() => void fireEvent.keyDown(screen.getByTestId('timeline-canvas'), { key: 'Escape' }));
    expect(screen.queryByRole('complementary')).toBeNull();
  });

  it('keeps the picture but not the exits when the engine goes', async () => {
    const session = await show({ 'runs.trace': () => TRACE }, [runOf('a', '2026-01-01T11:00:00Z')]);
    act(() => session.engine.getState().actions.setStatus({ state: 'down', reason: 'it crashed' }));
    expect(screen.getByTestId('timeline-canvas')).toBeDefined();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Export trace…' }).disabled).toBe(true);
  });

  it('saves the trace under a telling name', async () => {
    const answers: Answers = { 'runs.trace': () => TRACE, 'runs.exportTrace': () => ({ json: '[]' }) };
    await show(answers, [runOf('a', '2026-01-01T11:00:00Z')]);
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Export trace…' })));
    expect(screen.getByText('Saved resnet50-async-2026-01-01-11-00-00.trace.json')).toBeDefined();
  });
});

describe('a decision in the Timeline panel', () => {
  const DECISION = fakeDecision({
    id: 360,
    users: [fakeUser(), fakeUser({ tier: 'edge' }), fakeUser({ tier: 'edge', answeredBy: 'cloud' })],
  });

  async function showIt(runs: readonly RunRecord[] = []): Promise<Session> {
    const answers: Answers = { 'runs.trace': () => TRACE, 'offload.trace': () => FAKE_REMOTE_TRACE };
    const session = await show(answers, runs);
    await act(async () => {
      session.offload.getState().actions.addDecisions([DECISION, fakeDecision({ id: 361 })]);
      showDecision(session, 360);
    });
    return session;
  }

  it('shows where the time of its requests went, by stage and by user', async () => {
    await showIt([runOf('a', '2026-01-01T11:00:00Z')]);
    expect(screen.getByTestId('timeline-canvas').dataset['spans']).toBe('10');
    expect(screen.getByTestId('timeline-canvas').getAttribute('aria-label')).toContain('table of users');
    expect(screen.getByTestId('timeline-sums').textContent).toContain('Send7.00\u2009ms1.1\u2009MiB');
    expect(screen.getByRole('table', { name: 'Users' }).getAttribute('aria-rowcount')).toBe('4');
    expect(screen.queryByRole('button', { name: 'Export trace…' })).toBeNull();
    const choice = screen.getByLabelText<HTMLSelectElement>('Decision');
    expect(choice.selectedOptions[0]?.textContent).toContain('decision 360 · 3 users');
  });

  it('is stepped through by queue, and told span by span', async () => {
    await showIt();
    act(() => void fireEvent.keyDown(screen.getByTestId('timeline-canvas'), { key: 'n' }));
    expect(screen.getByRole('complementary', { name: 'Span' }).textContent).toContain('user 2, edge-7');
    act(() => void fireEvent.keyDown(screen.getByTestId('timeline-canvas'), { key: 'n' }));
    expect(screen.getByRole('complementary', { name: 'Span' }).textContent).toContain('user 3, cloud-eu');
  });

  it('stands beside another decision, never beside a run', async () => {
    await showIt([runOf('a', '2026-01-01T11:00:00Z')]);
    act(() => void fireEvent.focus(screen.getByLabelText('Compare')));
    const compare = screen.getByLabelText<HTMLSelectElement>('Compare');
    expect([...compare.options].map(({ value }) => value)).toEqual(['', 'decision:361']);
    await act(async () => fireEvent.change(compare, { target: { value: 'decision:361' } }));
    expect(screen.getByTestId('timeline-canvas').dataset['spans']).toBe('20');
  });

  it('says why its trace is gone', async () => {
    const answer = (): never => {
      throw new SluiceError('not-found', 'Decision 7 has no trace any more: the last 200 rounds have.');
    };
    const session = await show({ 'offload.trace': answer }, []);
    await act(async () => showDecision(session, 7));
    expect(screen.getByRole('alert').textContent).toContain('no trace any more');
  });
});

describe('the store of traces', () => {
  it('keeps what is in view when a reload fails, and drops what is not', async () => {
    const trace = vi.fn<() => typeof TRACE>(() => TRACE);
    const store = createTimelineStore(testSession({ 'runs.trace': () => trace() }).client);
    const { load, keepOnly, choose, compareWith } = store.getState().actions;
    await load('a');
    trace.mockImplementation(() => {
      throw new Error('gone');
    });
    await load('a');
    expect(store.getState().traces['a']?.state).toBe('ready');
    await load('b');
    expect(store.getState().traces['b']).toMatchObject({ state: 'failed', error: { message: 'gone' } });
    keepOnly(['b']);
    expect(Object.keys(store.getState().traces)).toEqual(['b']);
    compareWith('b');
    choose('b');
    expect(store.getState().compare).toBeUndefined();
  });
});

describe('sorting layers', () => {
  const row = (layer: number, waitUs: number) => {
    return { layer, name: `conv${layer}`, readUs: 0, readBytes: 0, waitUs, computeUs: 0, otherWaitUs: 0 };
  };

  it('keeps the order of execution among equals, and numbers in names count', () => {
    const rows = [row(10, 5), row(2, 7), row(3, 5)];
    const layers = (key: 'waitUs' | 'name', descending: boolean) =>
      sortRows(rows, { key, descending }).map(({ layer }) => layer);
    expect(layers('waitUs', true)).toEqual([2, 3, 10]);
    expect(layers('name', false)).toEqual([2, 3, 10]);
  });
});
