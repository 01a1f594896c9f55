import type { Frame } from './draw-frame';

/** Brings a canvas to the frame's size in device pixels and draws with a context scaled to CSS pixels. */
export function paint(
  canvas: HTMLCanvasElement,
  frame: Pick<Frame, 'widthPx' | 'heightPx' | 'devicePixelRatio'>,
  draw: (context: CanvasRenderingContext2D) => void,
): void {
  const width = Math.round(frame.widthPx * frame.devicePixelRatio);
  const height = Math.round(frame.heightPx * frame.devicePixelRatio);
  if (width === 0 || height === 0) return;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('The timeline needs a 2D canvas, and this browser gave none.');
  context.setTransform(frame.devicePixelRatio, 0, 0, frame.devicePixelRatio, 0, 0);
  draw(context);
}

/** Calls back when the screen's pixel ratio changes. @returns stops watching. */
export function watchPixelRatio(changed: () => void): () => void {
  const abort = new AbortController();
  const watch = (): void => {
    const query = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    const onChange = (): void => {
      changed();
      watch();
    };
    query.addEventListener('change', onChange, { once: true, signal: abort.signal });
  };
  watch();
  return () => abort.abort();
}
