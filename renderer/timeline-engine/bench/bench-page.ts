import '../../styles/tokens.css';
import '../../styles/base.css';
import { Timeline, buildTrace } from '..';
import type { TimeWindow } from '..';
import { syntheticTrace } from './synthetic-trace';

/** Raw measurements of one scripted tour; statistics are made outside the page. */
export interface TimelineTour {
  readonly spans: number;
  /** Building the levels of detail, once, ms. */
  readonly buildMs: number;
  /** Between animation frames, ms. */
  readonly frameMs: readonly number[];
  /** Main-thread drawing of each frame, ms. */
  readonly drawMs: readonly number[];
  readonly widthPx: number;
  readonly heightPx: number;
  readonly devicePixelRatio: number;
  readonly webglRenderer: string;
}

declare global {
  interface Window {
    sluiceTimelineTour?: (spans: number, seconds: number) => Promise<TimelineTour>;
  }
}

/** One round: from the whole trace down to some 30 spans and back, while the middle travels along the trace. */
const ROUND_SEC = 4;
const DEEPEST = 2 ** 12;
const WARM_UP_FRAMES = 20;

window.sluiceTimelineTour = async (spans, seconds) => {
  const host = document.getElementById('timeline');
  if (!host) throw new Error('bench-timeline.html has no element with id "timeline"');
  const columns = syntheticTrace(spans);
  const buildStartMs = performance.now();
  const model = buildTrace(columns);
  const buildMs = performance.now() - buildStartMs;
  const timeline = new Timeline(host);
  timeline.setTraces([{ title: 'synthetic', model }]);
  const whole = timeline.window;
  const frameMs: number[] = [];
  const drawMs: number[] = [];
  const startMs = await nextFrame();
  let lastMs = startMs;
  for (let frame = 0; lastMs - startMs < seconds * 1000; frame += 1) {
    timeline.setWindow(windowAt((lastMs - startMs) / 1000, whole));
    const drawn = timeline.drawNow();
    const nowMs = await nextFrame();
    if (frame >= WARM_UP_FRAMES) {
      drawMs.push(drawn);
      frameMs.push(nowMs - lastMs);
    }
    lastMs = nowMs;
  }
  const tour = { spans: timeline.spanCount, buildMs, frameMs, drawMs, webglRenderer: webglRenderer() };
  timeline.destroy();
  const { clientWidth: widthPx, clientHeight: heightPx } = host;
  return { ...tour, widthPx, heightPx, devicePixelRatio: window.devicePixelRatio };
};

function windowAt(seconds: number, whole: TimeWindow): TimeWindow {
  const phase = ((seconds / ROUND_SEC) % 1) * 2 * Math.PI;
  const zoom = DEEPEST ** ((1 - Math.cos(phase)) / 2);
  const wholeUs = whole.endUs - whole.startUs;
  const middleUs = whole.startUs + wholeUs * (0.5 + 0.45 * Math.sin(seconds * 0.7));
  return { startUs: middleUs - wholeUs / zoom / 2, endUs: middleUs + wholeUs / zoom / 2 };
}

function nextFrame(): Promise<number> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

/** Names the graphics device: `SwiftShader` or `llvmpipe` mean that the CPU draws. */
function webglRenderer(): string {
  const context = document.createElement('canvas').getContext('webgl');
  const info = context?.getExtension('WEBGL_debug_renderer_info');
  return context && info ? String(context.getParameter(info.UNMASKED_RENDERER_WEBGL)) : 'none';
}
