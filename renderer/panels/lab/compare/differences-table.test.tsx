import { act, cleanup, fireEvent, screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';

import { SluiceError } from '../../../../core/contract';
import type { LabRunDifference, LabRunRow } from '../../../../core/contract';
import { fakeRunId, fakeRunRow } from '../../../test-support/fake-lab';
import { showLab } from '../../../test-support/lab-bench';
import { DifferencesTable } from './differences-table';
import { MOST_LAUNCHED } from './launch-differences';

afterEach(cleanup);

function rowsOf(count: number, part: Partial<LabRunRow> = {}): readonly LabRunRow[] {
  return Array.from({ length: count }, (_, index) =>
    fakeRunRow({ runId: fakeRunId(index), name: `ana/digits/${index + 1}`, ...part }),
  );
}

/** How each run differs from the first. */
const DIFFS: Readonly<Record<string, readonly LabRunDifference[]>> = {
  [fakeRunId(1)]: [
    { what: 'args.--lr', from: '0.01', to: '0.1' },
    { what: 'environment.SEED', to: '2' },
    { what: 'resources.memoryBytes', from: String(2 ** 30), to: String(2 ** 31) },
    { what: 'code.train.py', from: 'before', to: 'changed' },
  ],
  [fakeRunId(2)]: [
    { what: 'image', to: 'node:22' },
    { what: 'code.train.py', from: 'there' },
    { what: 'code.tune.py', to: 'there' },
  ],
};
const answer = ({ to }: { readonly to: string }): readonly LabRunDifference[] => DIFFS[to] ?? [];

/** Of each group its title and count (or note), then its lines. */
function texts(): readonly (readonly string[])[] {
  const textOf = (row: Element, cells: string): string =>
    [...row.querySelectorAll(cells)].map((cell) => cell.textContent.replace(/\s/g, ' ')).join(' ');
  return screen
    .getAllByTestId('difference-group')
    .map((group) =>
      [...group.querySelectorAll('tr')].map((row, index) => textOf(row, index === 0 ? 'dfn, em' : 'th, td')),
    );
}

describe('the table of differences', () => {
  it('shows what three runs were launched with where it differs, and one line where it does not', async () => {
    const rows = rowsOf(3);
    const { asked } = await showLab(<DifferencesTable rows={rows} />, { 'lab.diff': answer });
    expect(asked('lab.diff')).toEqual([
      { from: fakeRunId(0), to: fakeRunId(1) },
      { from: fakeRunId(0), to: fakeRunId(2) },
    ]);
    expect(texts()).toEqual([
      ['Launched and logged 1', 'image – – node:22'],
      ['Environment 1', 'SEED – 2 –'],
      ['Resources 1', 'memory 1.0 GiB 2.0 GiB 1.0 GiB'],
      ['Code 2', 'train.py there changed –', 'tune.py – – there'],
    ]);
  });

  it('says of runs that are alike that they are, and folds by its button', async () => {
    const rows = rowsOf(2);
    const { asked } = await showLab(<DifferencesTable rows={rows} />, {
      'lab.diff': () => [{ what: 'code.train.py', from: 'before', to: 'changed' }],
    });
    expect(texts()).toEqual([
      ['Launched and logged the same in all'],
      ['Environment the same in all'],
      ['Resources the same in all'],
      ['Code 1', 'train.py there changed'],
    ]);
    const button = screen.getByRole('button', { name: 'Lines of Code' });
    expect(button.getAttribute('aria-expanded')).toBe('true');
    act(() => void fireEvent.click(button));
    expect(texts().at(-1)).toEqual(['Code 1']);
    expect(asked('lab.diff')).toHaveLength(1);
  });

  it('does not take runs that programs logged themselves for alike', async () => {
    const [first, second] = rowsOf(2);
    const logged = fakeRunRow({ runId: fakeRunId(7), isLaunched: false });
    const { asked } = await showLab(<DifferencesTable rows={[logged, first!]} />, { 'lab.diff': answer });
    expect(asked('lab.diff')).toEqual([]);
    expect(texts()[1]?.[0]).toMatch(/Environment not known: the lab launched fewer than two/);
    cleanup();
    await showLab(<DifferencesTable rows={[logged, first!, second!]} />, { 'lab.diff': answer });
    expect(texts()[1]).toEqual(['Environment 1', 'SEED not known – 2']);
  });

  it('says why the lab did not answer, and asks again', async () => {
    const { engine, settle } = await showLab(<DifferencesTable rows={rowsOf(2)} />, {
      'lab.diff': () => {
        throw new SluiceError('unavailable', "The lab's server is gone.");
      },
    });
    expect(screen.getByRole('alert').textContent).toContain("The lab's server is gone.");
    expect(texts()[1]).toEqual(['Environment not known']);
    engine.script({ 'lab.diff': answer });
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Try again' })));
    await settle();
    expect(screen.queryByRole('alert')).toBeNull();
    expect(texts()[1]).toEqual(['Environment 1', 'SEED – 2']);
  });

  it('asks about so many runs and says so', async () => {
    const { asked } = await showLab(<DifferencesTable rows={rowsOf(MOST_LAUNCHED + 5)} />, {
      'lab.diff': answer,
    });
    expect(asked('lab.diff')).toHaveLength(MOST_LAUNCHED - 1);
    expect(screen.getByText(/for the first 25 of 30 runs/)).toBeDefined();
    expect(texts()[1]?.[1]).toMatch(/^SEED – 2 .* not known$/);
  });
});
