import { CSPProvider } from '@base-ui/react/csp-provider';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { PANELS } from '../panels';
import { SessionContext, useSession } from '../session';
import styles from './app.module.css';
import { Tour, TourOffer } from '../tour';
import { CommandPalette } from './command-palette';
import { DropTarget } from './drop-target';
import { EngineBanner } from './engine-banner';
import { Rail } from './rail';
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
  useTheme();
  useShortcuts(() => setPaletteOpen((open) => !open));

  const panel = PANELS.find(({ id }) => id === panelId) ?? PANELS[0];
  return (
    // The content security policy allows no style elements made by scripts.
    <CSPProvider disableStyleElements>
      <div className={styles['frame']} data-live={live} data-other={shown !== undefined}>
        <TitleBar onOpenPalette={() => setPaletteOpen(true)} />
        <Rail current={panel?.id} />
        <main className={styles['work']}>
          <EngineBanner />
          <UpdateNotice />
          <TourOffer />
          {panel !== undefined && (
            <section
              // What is being typed or shown for one box is nothing to another.
              key={`${panel.id} ${shown ?? ''}`}
              className={styles['panel']}
              data-testid={`panel-${panel.id}`}
              aria-label={panel.title}
            >
              <panel.View />
            </section>
          )}
        </main>
        <StatusStrip />
      </div>
      <Tour />
      <DropTarget />
      <CommandPalette open={paletteOpen} onOpenChange={setPaletteOpen} />
    </CSPProvider>
  );
}
