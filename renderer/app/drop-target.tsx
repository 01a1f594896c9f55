import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { PANELS } from '../panels';
import type { PanelDefinition } from '../panels';
import { useSession } from '../session';
import type { Session } from '../session';
import { strings } from '../strings';
import { fileAt } from '../transport';
import type { ChosenFile } from '../transport';
import styles from './drop-target.module.css';

const STRINGS = strings.app;

/** The panel that takes a file of this name; the one in view goes first. */
export function panelFor(
  panels: readonly PanelDefinition[],
  inView: string,
  fileName: string,
): PanelDefinition | undefined {
  const takers = panels.filter(({ drop }) => drop?.accepts(fileName) === true);
  return takers.find(({ id }) => id === inView) ?? takers[0];
}

/** @returns why one was not taken; those behind it are left too. */
function takeFiles(session: Session, files: readonly ChosenFile[]): string | undefined {
  for (const file of files) {
    const panel = panelFor(PANELS, session.layout.getState().panel, file.name);
    if (panel === undefined) return STRINGS.drop.refused(file.name);
    session.layout.getState().actions.setPanel(panel.id);
    panel.drop?.take(session, file);
  }
  return undefined;
}

/** Takes what the system opened with Sluice, once there is an engine to import it. */
function useOpenedFiles(onRefused: (reason: string) => void): void {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  useEffect(() => {
    const { opened } = session.host;
    if (opened === undefined || !live) return undefined;
    const take = async (): Promise<void> => {
      const { paths, refused } = await opened.take();
      const reason = takeFiles(session, paths.map(fileAt)) ?? refused.join(' ');
      if (reason !== '') onRefused(reason);
    };
    void take();
    return opened.onOpened(() => void take());
  }, [session, live, onRefused]);
}

/** Takes files dropped anywhere in the window and gives them to the panel they are for. */
export function DropTarget(): ReactNode {
  const session = useSession();
  const [hovering, setHovering] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  useOpenedFiles(setRefusal);
  useEffect(() => {
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true;
    const onOver = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setHovering(true);
    };
    const onLeave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setHovering(false);
    };
    const onDrop = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setHovering(false);
      const dropped = [...(event.dataTransfer?.files ?? [])];
      setRefusal(takeFiles(session, dropped.map(session.host.dropped)));
    };
    window.addEventListener('dragover', onOver);
    window.addEventListener('dragleave', onLeave);
    window.addEventListener('drop', onDrop);
    return () => {
      window.removeEventListener('dragover', onOver);
      window.removeEventListener('dragleave', onLeave);
      window.removeEventListener('drop', onDrop);
    };
  }, [session]);
  useEffect(() => {
    if (refusal === undefined) return;
    const timer = setTimeout(() => setRefusal(undefined), 6_000);
    return () => clearTimeout(timer);
  }, [refusal]);
  return (
    <>
      {hovering && (
        <div className={styles['veil']}>
          <p>{PANELS.flatMap(({ drop }) => (drop === undefined ? [] : [drop.hint])).join(STRINGS.drop.or)}</p>
        </div>
      )}
      {refusal !== undefined && (
        <p role="alert" className={styles['refusal']}>
          {refusal}
        </p>
      )}
    </>
  );
}
