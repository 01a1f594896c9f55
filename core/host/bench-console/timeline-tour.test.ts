import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { benchTimeline } from './timeline-tour';

describe('the benchmark of the timeline', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('says what to do when the page was not built', async () => {
    await expect(benchTimeline({ pageDir: folder })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/bench-timeline\.html.*npm run build/) as string,
    });
  });

  it('names the browsers it looked for', async () => {
    writeFileSync(join(folder, 'bench-timeline.html'), '');
    await expect(benchTimeline({ pageDir: folder, chromePath: '/no/chrome' })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/\/no\/chrome.*CHROME_PATH/) as string,
    });
  });
});
