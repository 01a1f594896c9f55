import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../core/contract';
import type { FleetBox, RequestName } from '../../../core/contract';
import { SessionContext } from '../../session';
import { EXAMPLE_MODEL } from '../../test-support/fake-engine';
import { fakeBox, fakeFigures, fakePush } from '../../test-support/fake-fleet';
import { createTestSession } from '../../test-support/test-session';
import type { TestSession, TestSessionOptions } from '../../test-support/test-session';
import { FLEET_COLUMNS, columnsFor } from './fleet-columns';
import { FleetView } from './fleet-view';

// Plots need a 2D canvas; what they show stands beside them in words.
vi.mock('../../ui/plot', () => ({ Plot: () => null }));

/** happy-dom lays nothing out: as many rows are in view as fit into 720 px. */
const ROWS_IN_VIEW = 30;
vi.mock('@tanstack/react-virtual', () => ({
  useVirtualizer: ({ count }: { readonly count: number }) => ({
    scrollOffset: 0,
    getTotalSize: () => count * 24,
    getVirtualItems: () =>
      Array.from({ length: Math.min(count, ROWS_IN_VIEW) }, (_, index) => ({
        index,
        start: (index + 1) * 24,
        end: (index + 2) * 24,
      })),
  }),
}));
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const BOXES: readonly FleetBox[] = [
  fakeBox({
    id: 'a',
    name: 'gate-10',
    figures: fakeFigures({ cpuPct: 12, alerts: ['run failed: no space'] }),
  }),
  fakeBox({ id: 'b', name: 'gate-9', figures: fakeFigures({ cpuPct: 97, budgetLimitBytes: 0 }) }),
  fakeBox({ id: 'c', name: 'yard', state: 'offline', reason: 'Can’t be reached: no route.' }),
];

async function show(
  boxes: readonly FleetBox[] = BOXES,
  script: Parameters<TestSession['engine']['script']>[0] = {},
  options: TestSessionOptions = {},
): Promise<TestSession> {
  const bench = createTestSession(options);
  bench.engine.script({ 'fleet.list': () => boxes, ...script });
  await act(async () => {
    render(
      <SessionContext value={bench.session}>
        <FleetView />
      </SessionContext>,
    );
    bench.setStatus({ state: 'ok' });
    await vi.waitFor(() => expect(bench.session.fleet.getState().boxes).toBeDefined());
  });
  return bench;
}

const settle = (): Promise<void> => act(async () => new Promise((resolve) => setTimeout(resolve, 0)));
const rows = (): HTMLElement[] => screen.queryAllByTestId('box-row');
const names = (): (string | undefined)[] => rows().map(({ dataset }) => dataset['box']);
const row = (name: string): HTMLElement => rows().find(({ dataset }) => dataset['box'] === name)!;
const asked = ({ engine }: TestSession, name: RequestName) =>
  engine.received.filter(({ request }) => request === name).map(({ input }) => input);
const click = (element: HTMLElement): void => act(() => void fireEvent.click(element));
const button = (name: string | RegExp): HTMLElement => screen.getByRole('button', { name });
const write = (label: string, text: string): void =>
  act(() => void fireEvent.change(screen.getByLabelText(label), { target: { value: text } }));

describe('the Fleet panel', () => {
  it('teaches where there is no box, and adds one without keeping the token in the page', async () => {
    const added = fakeBox({ id: 'n', name: 'box.lan', state: 'connecting' });
    const keep = vi.fn(() => Promise.resolve());
    const keychain = { state: () => Promise.resolve({ available: true }), keep, forget: keep };
    const bench = await show([], { 'fleet.add': () => added }, { host: { keychain } });
    click(button('Add a box'));
    expect(document.activeElement).toBe(screen.getByLabelText('Address'));
    write('Address', 'box');
    expect(screen.getByText(/Write an address such as/)).toBeDefined();
    write('Address', 'https://box.lan:8787/?token=abc');
    write('Name', 'box.lan');
    click(button('Add'));
    await settle();
    expect(asked(bench, 'fleet.add')).toEqual([{ url: 'https://box.lan:8787/?token=abc', name: 'box.lan' }]);
    expect(keep).toHaveBeenCalledWith('box:n', 'abc');
    expect(screen.queryByRole('form', { name: 'Add a box' })).toBeNull();
    expect(names()).toEqual(['box.lan']);
    // It asks for something: that is shown at once.
    const reason = `It shows another certificate: expected SHA-256 ${'AA:'.repeat(31)}AA, found ${'0B:'.repeat(31)}0B.`;
    act(() => bench.engine.emit('fleet', { changed: [{ ...added, state: 'refused', reason }], removed: [] }));
    expect(screen.getByTestId('box-fingerprint').textContent).toBe(`${'0B:'.repeat(31)}0B`);
  });

  it('keeps the form and tells why when the engine takes no box', async () => {
    await show([], {
      'fleet.add': () => {
        throw new SluiceError('conflict', 'A box of that name is there.');
      },
    });
    click(button('Add a box'));
    write('Address', 'http://127.0.0.1:1');
    click(button('Add'));
    await settle();
    expect(screen.getByRole('alert').textContent).toContain('A box of that name is there.');
    expect(screen.getByRole('form', { name: 'Add a box' })).toBeDefined();
  });

  it('sums the fleet, and tells each box in words', async () => {
    await show();
    const summary = screen.getByTestId('fleet-summary').textContent;
    expect(summary).toContain('2 of 3 online');
    expect(summary).toContain('318/512\u2009MiB');
    expect(summary).toContain('1 without a limit');
    expect(summary).toContain('1 alert');
    expect(names()).toEqual(['gate-9', 'gate-10', 'yard']);
    expect(within(row('gate-9')).getByText('no limit')).toBeDefined();
    expect(within(row('gate-10')).getByRole('img').getAttribute('aria-label')).toContain('held of 512');
    expect(within(row('yard')).getByText('offline')).toBeDefined();
  });

  it('sorts and filters by words and by state', async () => {
    await show();
    click(button('CPU'));
    click(button(/CPU/));
    expect(names()[0]).toBe('gate-9');
    write('Filter boxes by words', 'space');
    expect(names()).toEqual(['gate-10']);
    click(screen.getByRole('radio', { name: 'Offline 1' }));
    expect(screen.getByText(/No box matches/)).toBeDefined();
    click(button('Show all'));
    click(screen.getByRole('radio', { name: 'Offline 1' }));
    expect(names()).toEqual(['yard']);
  });

  it('lets a row that is followed keep its place while figures change', async () => {
    const bench = await show();
    click(button('CPU'));
    click(button(/CPU/));
    expect(names()).toEqual(['gate-9', 'yard', 'gate-10']);
    const busier = { ...BOXES[0]!, figures: fakeFigures({ cpuPct: 99 }) };
    act(() => bench.engine.emit('fleet', { changed: [busier], removed: [] }));
    expect(names()).toEqual(['gate-9', 'yard', 'gate-10']);
    expect(row('gate-10').textContent).toContain('99%');
  });

  it('goes by keyboard: arrows move, Space chooses, Enter opens', async () => {
    const bench = await show();
    act(() => row('gate-9').focus());
    fireEvent.keyDown(row('gate-9'), { key: 'ArrowDown' });
    expect(document.activeElement).toBe(row('gate-10'));
    act(() => void fireEvent.keyDown(row('gate-10'), { key: ' ' }));
    expect([...bench.session.fleet.getState().chosen]).toEqual(['a']);
    expect(screen.queryByTestId('box-inspector')).toBeNull();
    act(() => void fireEvent.keyDown(row('gate-10'), { key: 'Enter' }));
    expect(screen.getByTestId('box-inspector').textContent).toContain('run failed: no space');
  });

  it('pushes a model of this machine to the chosen boxes, and tells how each goes', async () => {
    const push = fakePush({ model: 'text-reader' });
    const bench = await show(
      BOXES,
      { 'fleet.push': () => push, 'fleet.retryPush': () => push },
      { models: [EXAMPLE_MODEL] },
    );
    click(screen.getByRole('checkbox', { name: 'Choose gate-10' }));
    click(screen.getByRole('checkbox', { name: 'Choose gate-9' }));
    await settle();
    click(button('Push to 2 boxes'));
    await settle();
    expect(asked(bench, 'fleet.push')).toEqual([{ model: 'text-reader', boxes: ['a', 'b'] }]);
    const states = (): unknown[] => screen.getAllByTestId('push-line').map(({ dataset }) => dataset['state']);
    expect(states()).toEqual(['sending', 'waiting']);
    const error = { code: 'io', message: 'The disk is full.', details: {} } as const;
    const ended = fakePush({
      model: 'text-reader',
      boxes: [
        { box: 'a', state: 'done', sentBytes: 100e6, totalBytes: 100e6 },
        { box: 'b', state: 'failed', sentBytes: 0, totalBytes: 100e6, error },
      ],
    });
    act(() => bench.engine.emit('fleetPush', ended));
    expect(screen.getByTestId('push').textContent).toContain('The disk is full.');
    click(button('Retry failed'));
    await settle();
    expect(asked(bench, 'fleet.retryPush')).toEqual([{ push: 'p1' }]);
  });

  it('removes a box only when that can’t be undone any more', async () => {
    const bench = await show(BOXES, { 'fleet.remove': () => ({}) });
    click(row('yard'));
    click(button('Remove'));
    expect(names()).toEqual(['gate-9', 'gate-10']);
    click(button('Undo'));
    expect(names()).toEqual(['gate-9', 'gate-10', 'yard']);
    expect(asked(bench, 'fleet.remove')).toEqual([]);
    click(button('Remove'));
    click(button('Forget it now'));
    await settle();
    expect(asked(bench, 'fleet.remove')).toEqual([{ box: 'c' }]);
    expect(bench.session.fleet.getState().boxes?.size).toBe(2);
  });

  it('reaches a box again with a new token, and renames it', async () => {
    const bench = await show(BOXES, {
      'fleet.retry': () => fakeBox({ id: 'c', name: 'yard', state: 'connecting' }),
      'fleet.rename': ({ name }) => fakeBox({ id: 'c', name }),
    });
    click(row('yard'));
    expect(screen.getByTestId('box-inspector').textContent).toContain('no route');
    write('Certificate fingerprint', 'short');
    expect(screen.getByText(/64 hexadecimal digits/)).toBeDefined();
    write('Certificate fingerprint', 'ab'.repeat(32));
    write('New token', 'fresh');
    click(button('Try now'));
    await settle();
    expect(asked(bench, 'fleet.retry')).toEqual([
      { box: 'c', token: 'fresh', certificateFingerprint: 'ab'.repeat(32) },
    ]);
    click(button('Rename'));
    write('New name', 'dock');
    click(button('Save'));
    await settle();
    expect(names()).toContain('dock');
  });
});

describe('200 boxes', () => {
  const MANY = Array.from({ length: 200 }, (_, index) => fakeBox({ id: `b${index}`, name: `box-${index}` }));

  it('draws again only the rows that changed, of those in view', async () => {
    const name = FLEET_COLUMNS.find(({ key }) => key === 'name')!;
    const cell = vi.spyOn(name, 'cell');
    const bench = await show(MANY);
    expect(rows()).toHaveLength(ROWS_IN_VIEW);
    const told = (changed: readonly FleetBox[]): number => {
      cell.mockClear();
      act(() => bench.engine.emit('fleet', { changed, removed: [] }));
      return cell.mock.calls.length;
    };
    const busier = (box: FleetBox): FleetBox => ({ ...box, figures: fakeFigures({ cpuPct: 7 }) });
    expect(told([busier(MANY[3]!)])).toBe(1);
    expect(told([busier(MANY[199]!)])).toBe(0);
    expect(told(MANY.map(busier))).toBe(ROWS_IN_VIEW);
    // A choice draws the row's mark, and no row.
    cell.mockClear();
    click(screen.getByRole('checkbox', { name: 'Choose box-1' }));
    expect(cell).not.toHaveBeenCalled();
  });
});

it('leaves out what matters least where there is little room', () => {
  const keysAt = (px: number): string[] => columnsFor(px).map(({ key }) => key);
  expect(keysAt(1400)).toHaveLength(FLEET_COLUMNS.length);
  expect(keysAt(1150)).not.toContain('since');
  expect(keysAt(960)).toEqual(expect.arrayContaining(['name', 'state', 'cpu', 'budget', 'alerts']));
  expect(keysAt(300)).toEqual(['choice', 'name', 'state', 'cpu', 'budget', 'alerts']);
});
