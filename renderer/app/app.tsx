import { CSPProvider } from '@base-ui/react/csp-provider';
import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { panelOf } from '../panels';
import { SessionContext, useSession } from '../session';
import styles from './app.module.css';
import { Tour, TourOffer } from '../tour';
import { LazyBody } from '../ui';
import { CommandPalette } from './command-palette';
import { DropTarget } from './drop-target';
import { EngineBanner } from './engine-banner';
import { HelpLayer } from './help-layer';
import type { ShownHelp } from './help-layer';
import { Rail } from './rail';
import { ShortcutsDialog } from './shortcuts-dialog';
import { StatusStrip } from './status-strip';
import { TitleBar } from './title-bar';
import { UpdateNotice } from './update-notice';
import { useShortcuts } from './use-shortcuts';
import { useTheme } from './use-theme';

/** The console, of this machine or of the box that is in view. */
export function App(): ReactNode {
  const { home } = useSession();
  const shown = useStore(home.fleet, (state) => state.shown);
  return (
    <SessionContext value={home.boxes.get(shown) ?? home}>
      <Frame shown={shown} />
    </SessionContext>
  );
}

/** The frame: title bar, rail, the panel in view, status strip. */
function Frame({ shown }: { readonly shown: string | undefined }): ReactNode {
  const { layout, engine } = useSession();
  const panelId = useStore(layout, (state) => state.panel);
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const [paletteOpen, setPaletteOpen] = useState(false);
  const [keysOpen, setKeysOpen] = useState(false);
  const [help, setHelp] = useState<ShownHelp>();
  const actions = useMemo(
    () => ({
      showShortcuts: () => setKeysOpen(true),
      showHelp: (id: ShownHelp['id']) =>
        setHelp({ id, anchor: document.querySelector<HTMLElement>(`[data-help="${id}"]`), isPinned: true }),
    }),
    [],
  );
  useTheme();
  useShortcuts(
    () => setPaletteOpen((open) => !open),
    () => setKeysOpen(true),
  );

  const panel = panelOf(panelId);
  return (
    // The content security policy allows no style elements made by scripts.
    <CSPProvider disableStyleElements>
      <div className={styles['frame']} data-live={live} data-other={shown !== undefined}>
        <TitleBar onOpenPalette={() => setPaletteOpen(true)} />
        <Rail current={panel.id} />
        <main className={styles['work']}>
          <EngineBanner />
          <UpdateNotice />
          <TourOffer />
          <section
            // What is being typed or shown for one box is nothing to another.
            key={`${panel.id} ${shown ?? ''}`}
            className={styles['panel']}
            data-testid={`panel-${panel.id}`}
            aria-label={panel.title}
          >
            <LazyBody view={panel.view} />
          </section>
        </main>
        <StatusStrip />
      </div>
      <Tour />
      <DropTarget />
      <HelpLayer shown={help} onShow={setHelp} />
      <ShortcutsDialog open={keysOpen} onOpenChange={setKeysOpen} />
      <CommandPalette open={paletteOpen} onOpenChange={setPaletteOpen} actions={actions} />
    </CSPProvider>
  );
}
