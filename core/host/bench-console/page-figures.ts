import { z } from 'zod';

import { SluiceError } from '../../contract';
import { pause, type DevtoolsPage } from './devtools-page';

/** Moments of a page that opened, in milliseconds since the Unix epoch. */
export interface PageMoments {
  readonly navigatedMs: number;
  readonly firstPaintMs: number;
  /** The frame after the engine had told what the frame and the first panel show. */
  readonly interactiveMs: number;
  /** The frame after it had told all that the console begins with, other panels' too. */
  readonly filledMs: number;
}

const momentsSchema = z.object({
  origin: z.number(),
  paint: z.number(),
  interactive: z.number(),
  filled: z.number(),
});

// Evaluated as text: this module knows no DOM types.
const MOMENTS = `(() => {
  const [mark] = performance.getEntriesByName('sluice-interactive');
  const [last] = performance.getEntriesByName('sluice-filled');
  const [paint] = performance.getEntriesByName('first-contentful-paint');
  if (mark === undefined || last === undefined || paint === undefined) return undefined;
  const { timeOrigin: origin } = performance;
  return { origin, paint: paint.startTime, interactive: mark.startTime, filled: last.startTime };
})()`;
const OPEN_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 50;

/** @throws SluiceError `runtime` when the page has not all it begins with within a minute. */
export async function momentsOf(page: DevtoolsPage): Promise<PageMoments> {
  const giveUpMs = performance.now() + OPEN_LIMIT_MS;
  while (performance.now() < giveUpMs) {
    // A window begins with an empty page, which goes with what is asked of it.
    const moments = momentsSchema.safeParse(await page.evaluate(MOMENTS).catch(() => undefined));
    if (moments.success) {
      const { origin, paint, interactive, filled } = moments.data;
      return {
        navigatedMs: origin,
        firstPaintMs: origin + paint,
        interactiveMs: origin + interactive,
        filledMs: origin + filled,
      };
    }
    await pause(LOOK_EVERY_MS);
  }
  throw new SluiceError('runtime', `The window had no answers within ${OPEN_LIMIT_MS / 1000} s.`);
}

/** From an event's time stamp to the end of the frame that follows it. */
const LISTEN = `(() => {
  const delays = [];
  const channel = new MessageChannel();
  addEventListener('keydown', ({ timeStamp }) => {
    requestAnimationFrame(() => {
      channel.port1.onmessage = () => delays.push(performance.now() - timeStamp);
      channel.port2.postMessage(0);
    });
  }, { capture: true });
  window.sluiceKeyDelays = delays;
})()`;

const delaysSchema = z.array(z.number());

/**
 * Presses keys that switch panels and measures from each press until its frame is drawn.
 * @param presses the first few warm up and do not count.
 * @returns milliseconds of each press.
 */
export async function keyDelays(page: DevtoolsPage, presses: number): Promise<readonly number[]> {
  await page.evaluate(LISTEN);
  for (let press = 0; press < presses + WARM_UP_PRESSES; press += 1) {
    await page.press(String((press % PANELS) + 1));
    await pause(PRESS_PAUSE_MS);
  }
  return delaysSchema.parse(await page.evaluate('window.sluiceKeyDelays')).slice(WARM_UP_PRESSES);
}

const WARM_UP_PRESSES = 9;
/** By the number keys. */
const PANELS = 8;
/** Longer than a frame, so that each press has one of its own. */
const PRESS_PAUSE_MS = 60;
