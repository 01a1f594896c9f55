import { useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';

import type { LabArtifact } from '../../../../../core/contract';
import { formatBytes } from '../../../../format';
import { strings } from '../../../../strings';
import { FailureNote } from '../../../../ui';
import { useLabRequest } from '../../use-lab-request';
import { ArtifactPreview } from './artifact-preview';
import styles from './artifacts.module.css';

const STRINGS = strings.lab.runPage;

const WORDS = STRINGS.artifacts;

interface FolderProps {
  readonly run: string;
  /** Empty: the root. */
  readonly path: string;
  readonly depth: number;
  readonly chosen: string | undefined;
  readonly onChoose: (file: LabArtifact) => void;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** What is in a folder; asked for when it is opened. */
function Folder({ run, path, depth, chosen, onChoose }: FolderProps): ReactNode {
  const { value, error } = useLabRequest('lab.artifacts', { run, path }, 'runs');
  if (error !== undefined && value === undefined)
    return (
      <li role="none">
        <FailureNote title={WORDS.failed} error={error} />
      </li>
    );
  if (value === undefined) return <li role="none">{WORDS.reading}</li>;
  if (value.length === 0)
    return (
      <li role="none" className={styles['nothing']}>
        {depth === 0 ? WORDS.none : WORDS.emptyFolder}
      </li>
    );
  return value.map((artifact) => (
    <Entry
      key={artifact.path}
      run={run}
      artifact={artifact}
      depth={depth}
      chosen={chosen}
      onChoose={onChoose}
    />
  ));
}

interface EntryProps extends Omit<FolderProps, 'path'> {
  readonly artifact: LabArtifact;
}

function Entry({ run, artifact, depth, chosen, onChoose }: EntryProps): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const { path, isFolder, bytes } = artifact;
  const act = (): void => {
    if (isFolder) setIsOpen(!isOpen);
    else onChoose(artifact);
  };
  const onKey = (event: KeyboardEvent<HTMLElement>): void => {
    const lines = [
      ...(event.currentTarget.closest('[role=tree]')?.querySelectorAll<HTMLElement>('[data-line]') ?? []),
    ];
    const at = lines.indexOf(event.currentTarget);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1 }[event.key];
    if (to !== undefined) lines[to]?.focus();
    else if (event.key === 'Enter' || event.key === ' ') act();
    else if (event.key === 'ArrowRight' && isFolder) setIsOpen(true);
    else if (event.key === 'ArrowLeft' && isFolder) setIsOpen(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <>
      <li
        role="treeitem"
        aria-level={depth + 1}
        aria-expanded={isFolder ? isOpen : undefined}
        aria-selected={path === chosen}
        tabIndex={0}
        data-line
        data-testid="artifact"
        data-path={path}
        className={styles['line']}
        style={{ paddingLeft: 12 + depth * 14 }}
        onClick={act}
        onKeyDown={onKey}
      >
        <i aria-hidden="true">{isFolder ? (isOpen ? '▾' : '▸') : ''}</i>
        <span title={path}>{nameOf(path)}</span>
        {!isFolder && <b>{formatBytes(bytes)}</b>}
      </li>
      {isFolder && isOpen && (
        <Folder run={run} path={path} depth={depth + 1} chosen={chosen} onChoose={onChoose} />
      )}
    </>
  );
}

/** A run's artifacts as a tree, and a look at the chosen one. */
export function ArtifactsView({ run }: { readonly run: string }): ReactNode {
  const [file, setFile] = useState<LabArtifact>();
  return (
    <section className={styles['artifacts']} aria-label={WORDS.title} data-testid="run-artifacts">
      <ul role="tree" aria-label={WORDS.title} className={styles['tree']}>
        <Folder run={run} path="" depth={0} chosen={file?.path} onChoose={setFile} />
      </ul>
      {file === undefined ? (
        <p className={styles['choose']}>{WORDS.choose}</p>
      ) : (
        <ArtifactPreview key={file.path} run={run} file={file} />
      )}
    </section>
  );
}
