import { expect, type Page } from '@playwright/test';
import { saveScreen, test } from './fixtures';
import { PANELS } from './pages/console-page';

/** Controls that are cut off by the window, lie over each other, or are smaller than a finger or a shaky hand needs. */
async function faultsOfControls(page: Page): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(`(() => {
    const LEAST_PX = 24;
    const name = (element) => element.tagName.toLowerCase() + ' "' +
      (element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 40) + '"';
    const seen = [...document.querySelectorAll('button, select, input, textarea, a[href], summary')].filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width > 1 && box.height > 1 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    });
    const faults = [];
    // What a scrolling frame hides is reached by scrolling.
    const frameOf = (element) => {
      for (let at = element.parentElement; at !== null; at = at.parentElement) {
        if (/auto|scroll/.test(getComputedStyle(at).overflow)) return at;
      }
      return null;
    };
    for (const element of seen) {
      const box = element.getBoundingClientRect();
      if (frameOf(element) === null && (box.right > innerWidth + 1 || box.bottom > innerHeight + 1 || box.left < -1))
        faults.push('cut off: ' + name(element));
      // A control in a line of text, or whose label is the target, may be smaller (WCAG 2.2, 2.5.8).
      const target = element.closest('label') ?? element;
      const targetBox = target.getBoundingClientRect();
      const isSmall = targetBox.height < LEAST_PX - 0.5 || targetBox.width < LEAST_PX - 0.5;
      const isInline = getComputedStyle(element).display === 'inline';
      const isAlone = !seen.some((other) => {
        if (other === element || other.contains(element) || element.contains(other)) return false;
        const otherBox = other.getBoundingClientRect();
        const dx = Math.max(0, Math.abs(otherBox.x + otherBox.width / 2 - box.x - box.width / 2) - otherBox.width / 2);
        const dy = Math.max(0, Math.abs(otherBox.y + otherBox.height / 2 - box.y - box.height / 2) - otherBox.height / 2);
        return Math.hypot(dx, dy) < LEAST_PX / 2;
      });
      if (isSmall && !isInline && !isAlone)
        faults.push('small: ' + name(element) + ' ' + Math.round(box.width) + 'x' + Math.round(box.height));
      const x = box.x + box.width / 2;
      const y = box.y + box.height / 2;
      if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) continue;
      const frame = frameOf(element)?.getBoundingClientRect();
      if (frame && (x < frame.left || x > frame.right || y < frame.top || y > frame.bottom)) continue;
      const top = document.elementFromPoint(x, y);
      if (top !== null && !element.contains(top) && !top.contains(element) && top.closest('label') === null)
        faults.push('covered: ' + name(element) + ' by ' + name(top));
    }
    if (document.documentElement.scrollWidth > innerWidth) {
      const beyond = [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > innerWidth + 1);
      faults.push('the page is wider than the window: ' + beyond.slice(0, 4).map(name).join(', '));
    }
    return [...new Set(faults)];
  })()`);
}

const WINDOWS = [
  { width: 1024, height: 640 },
  // A window of 1280 by 800 at 200%.
  { width: 640, height: 400 },
];

test.describe.configure({ timeout: 180_000 });
test.use({ library: 'example' });

// In a browser alone: the page is the same in both shells, and only there a window can be so small.
test('no control is cut off, covered or too small in the smallest window, nor at 200%', async ({
  webConsole: { page, ui },
}) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await ui.ready();
  await ui.open('Run');
  await ui.run.answer();
  const found: string[] = [];
  for (const window of WINDOWS) {
    await page.setViewportSize(window);
    for (const name of PANELS) {
      const panel = await ui.open(name);
      // What is shown when all of it has come.
      await expect(panel.getByRole('progressbar')).toHaveCount(0, { timeout: 60_000 });
      await saveScreen(page, `narrow-${window.width}-${name.toLowerCase()}`);
      found.push(...(await faultsOfControls(page)).map((fault) => `${window.width}, ${name}: ${fault}`));
    }
  }
  expect(found).toEqual([]);
});
