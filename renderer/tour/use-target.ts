import { useEffect, useState } from 'react';

function find(selectors: readonly string[]): HTMLElement | null {
  for (const selector of selectors) {
    const found = document.querySelector<HTMLElement>(selector);
    if (found !== null) return found;
  }
  return null;
}

/** The first element there is of some; follows the page as panels come and go. Marked while it is pointed at. */
export function useTarget(selectors: readonly string[]): HTMLElement | null {
  const [target, setTarget] = useState<HTMLElement | null>(null);
  useEffect(() => {
    const look = (): void => setTarget(find(selectors));
    look();
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true });
    return () => observer.disconnect();
  }, [selectors]);
  useEffect(() => {
    if (target === null) return;
    target.setAttribute('data-tour-target', 'true');
    target.scrollIntoView({ block: 'nearest' });
    return () => target.removeAttribute('data-tour-target');
  }, [target]);
  return target;
}
