import { expect, it } from 'vitest';

import { TimeView } from './time-view';

function viewOf(durationUs: number, startUs = 0): TimeView {
  const view = new TimeView();
  view.begin(durationUs, startUs);
  return view;
}

it('begins with the inference, and fits what was read ahead of it when that is shown already', () => {
  const view = viewOf(1000, -500);
  expect(view.window).toEqual({ startUs: -10, endUs: 1010 });
  view.set(view.fitted());
  expect(view.window).toEqual({ startUs: -515, endUs: 1015 });
  view.set(view.fitted());
  expect(view.window).toEqual({ startUs: -10, endUs: 1010 });
});

it('zooms around the middle, or around what is under the pointer', () => {
  const view = viewOf(1000);
  expect(view.zoomed(2)).toEqual({ startUs: 245, endUs: 755 });
  expect(view.zoomed(2, -10)).toEqual({ startUs: -10, endUs: 500 });
});

it('stays within what there is', () => {
  const view = viewOf(1000);
  view.set({ startUs: 900, endUs: 1100 });
  expect(view.window).toEqual({ startUs: 810, endUs: 1010 });
  expect(view.panned(50)).toEqual(view.window);
  expect(view.panned(-100)).toEqual({ startUs: 710, endUs: 910 });
});

it('reveals what is out of sight or too small to see, and leaves the rest', () => {
  const view = viewOf(1000);
  expect(view.revealing({ startUs: 200, endUs: 300 }, 3)).toBeUndefined();
  expect(view.revealing({ startUs: 200, endUs: 202 }, 3)).toEqual({ startUs: 199, endUs: 203 });
  view.set({ startUs: 0, endUs: 100 });
  expect(view.revealing({ startUs: 200, endUs: 300 }, 3)).toEqual({ startUs: 200, endUs: 300 });
});
