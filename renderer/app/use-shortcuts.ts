import { useEffect, useRef } from 'react';

import { PANELS } from '../panels';
import { useSession } from '../session';

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return target.type !== 'radio' && target.type !== 'range';
  return (
    target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
  );
}

/** Number keys switch panels; Ctrl-K or Cmd-K opens the palette, `?` the overview of keys. Keys typed into a field stay there. */
export function useShortcuts(onTogglePalette: () => void, onShowShortcuts: () => void): void {
  const { layout } = useSession();
  const toggle = useRef(onTogglePalette);
  const showKeys = useRef(onShowShortcuts);
  useEffect(() => {
    toggle.current = onTogglePalette;
    showKeys.current = onShowShortcuts;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        toggle.current();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === '?') {
        event.preventDefault();
        showKeys.current();
        return;
      }
      const panel = PANELS[Number(event.key) - 1];
      if (panel !== undefined) layout.getState().actions.setPanel(panel.id);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [layout]);
}
