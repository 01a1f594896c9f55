import type { Command } from '../panels';

/** More are lists of things, each with buttons of its own: found faster where they stand. */
const MOST_BUTTONS = 40;
/** Buttons of one row among many say nothing without their row. */
const OF_A_ROW = '[role="row"], tr, [role="listbox"], [role="radiogroup"]';

function nameOf(button: HTMLElement): string {
  const shown = button.getAttribute('aria-label') ?? button.textContent;
  return shown.replace(/\s+/g, ' ').trim();
}

/** Everything the buttons of the panel in view do now, by their names. */
export function buttonCommands(root: ParentNode): readonly Command[] {
  const named = new Map<string, HTMLButtonElement>();
  for (const button of root.querySelectorAll('[data-testid^="panel-"] button')) {
    if (!(button instanceof HTMLButtonElement) || button.disabled || button.closest(OF_A_ROW) !== null)
      continue;
    const name = nameOf(button);
    if (/\p{L}/u.test(name) && !named.has(name)) named.set(name, button);
  }
  return [...named].slice(0, MOST_BUTTONS).map(([name, button]) => ({
    id: `button.${name}`,
    title: name,
    keywords: button.title,
    group: 'panel',
    run: () => {
      button.focus();
      button.click();
    },
  }));
}
