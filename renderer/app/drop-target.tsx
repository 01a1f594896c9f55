import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';

import { PANELS } from '../panels';
import type { PanelDefinition } from '../panels';
import { useSession } from '../session';
import type { Session } from '../session';
import { strings } from '../strings';
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

function takeFiles(session: Session, files: FileList): string | undefined {
  for (const file of files) {
    const panel = panelFor(PANELS, session.layout.getState().panel, file.name);
    if (panel === undefined) return STRINGS.drop.refused(file.name);
    session.layout.getState().actions.setPanel(panel.id);
    panel.drop?.take(session, session.host.dropped(file));
  }
  return undefined;
}

/** Takes files dropped anywhere in the window and gives them to the panel they are for. */
export function DropTarget(): ReactNode {
  const session = useSession();
  const [hovering, setHovering] = useState(false);
  const [refusal, setRefusal] = useState<string>();
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
      if (event.dataTransfer !== null) setRefusal(takeFiles(session, event.dataTransfer.files));
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
