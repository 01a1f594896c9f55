import { useEffect } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../session';

const DARK_QUERY = '(prefers-color-scheme: dark)';

/** Keeps `data-theme` of the document at the chosen theme, or at the system's. */
export function useTheme(): void {
  const { layout } = useSession().home;
  const theme = useStore(layout, (state) => state.theme);
  useEffect(() => {
    const system = window.matchMedia(DARK_QUERY);
    const apply = (): void => {
      const dark = theme === 'dark' || (theme === 'system' && system.matches);
      document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
    };
    apply();
    system.addEventListener('change', apply);
    return () => system.removeEventListener('change', apply);
  }, [theme]);
}
