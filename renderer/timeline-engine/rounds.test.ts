import { afterEach, describe, expect, it, vi } from 'vitest';

import { fakeRounds } from '../test-support/fake-language';
import { RoundChart } from './round-chart';
import { acceptanceOver, boundsOf, endUs, firstAfter, nextSwap, roundAt, startUs } from './rounds';

const ROUNDS = fakeRounds(40).map((round, index) => ({ ...round, startMs: index * 200 }));

describe('rounds on a time axis', () => {
  it('are found by the moment pointed at', () => {
    const third = ROUNDS[2]!;
    expect(roundAt(ROUNDS, startUs(third))).toBe(2);
    expect(roundAt(ROUNDS, endUs(third) - 1)).toBe(2);
    expect(roundAt(ROUNDS, endUs(third) + 1)).toBeUndefined();
    expect(roundAt(ROUNDS, -1)).toBeUndefined();
    expect(firstAfter(ROUNDS, endUs(ROUNDS.at(-1)!))).toBe(ROUNDS.length);
    expect(roundAt([], 0)).toBeUndefined();
  });

  it('leave room for what is to come while the reply goes on', () => {
    const first = ROUNDS.slice(0, 1);
    expect(boundsOf(first, true).endUs).toBeGreaterThan(1_000_000);
    expect(boundsOf(first, false).endUs).toBeLessThan(200_000);
    expect(boundsOf([], false).endUs).toBeGreaterThan(0);
  });

  it('give the acceptance of the last sixteen', () => {
    const plain = (accepted: number, drafted: number) => ({ ...ROUNDS[0]!, accepted, drafted });
    const values = acceptanceOver([
      plain(0, 0),
      plain(4, 4),
      plain(0, 4),
      ...Array<ReturnType<typeof plain>>(16).fill(plain(1, 2)),
    ]);
    expect([...values.slice(0, 3)]).toEqual([Number.NaN, 1, 0.5]);
    expect(values.at(-1)).toBe(0.5);
  });

  it('lead to the next one that waited long for the full cache', () => {
    expect(nextSwap(ROUNDS, 0)).toBe(0);
    expect(nextSwap(ROUNDS, 1)).toBe(4);
    expect(nextSwap(ROUNDS, 39)).toBeUndefined();
  });
});

describe('the chart of rounds', () => {
  const hosts: HTMLElement[] = [];
  const make = () => {
    const host = document.body.appendChild(document.createElement('div'));
    hosts.push(host);
    const onSelect = vi.fn();
    const lanes = { time: 'time', tokens: 'tokens' };
    const chart = new RoundChart(host, { lanes, describe: () => ({ title: '', lines: [] }), onSelect });
    return { chart, onSelect };
  };
  const press = (chart: RoundChart, key: string): void =>
    void chart.canvas.dispatchEvent(new KeyboardEvent('keydown', { key }));
  afterEach(() => hosts.splice(0).forEach((host) => host.remove()));

  it('shows the whole reply as it grows, and keeps to the newest when zoomed in there', () => {
    const { chart } = make();
    chart.setRounds('r', ROUNDS.slice(0, 10), true);
    expect(chart.canvas.dataset['rounds']).toBe('10');
    const before = chart.window.endUs;
    chart.setRounds('r', ROUNDS.slice(0, 20), true);
    expect(chart.window.endUs).toBeGreaterThan(before);
    const { endUs: wholeEndUs } = chart.window;
    chart.setWindow({ startUs: wholeEndUs - 500_000, endUs: wholeEndUs });
    chart.setRounds('r', ROUNDS, true);
    expect(chart.window.endUs).toBeGreaterThan(wholeEndUs);
    expect(chart.window.endUs - chart.window.startUs).toBeCloseTo(500_000);
    chart.setRounds('another', ROUNDS.slice(0, 10), false);
    expect(chart.window.startUs).toBeLessThan(0);
    chart.destroy();
  });

  it('is walked by key: newest first, then back; swaps; cleared', () => {
    const { chart, onSelect } = make();
    chart.setRounds('r', ROUNDS, false);
    press(chart, '.');
    expect(onSelect).toHaveBeenLastCalledWith(ROUNDS[39]);
    press(chart, ',');
    expect(onSelect).toHaveBeenLastCalledWith(ROUNDS[38]);
    press(chart, 'Escape');
    expect(onSelect).toHaveBeenLastCalledWith(undefined);
    press(chart, 'n');
    press(chart, 'n');
    expect(onSelect).toHaveBeenLastCalledWith(ROUNDS[4]);
    press(chart, 'Enter');
    expect(chart.window.endUs - chart.window.startUs).toBeLessThan(500_000);
    press(chart, '0');
    expect(chart.window.startUs).toBeLessThan(0);
    chart.destroy();
  });
});
