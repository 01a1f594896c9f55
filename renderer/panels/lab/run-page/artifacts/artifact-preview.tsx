import { useCallback } from 'react';
import type { ReactNode } from 'react';

import type { LabArtifact, RequestOutput } from '../../../../../core/contract';
import { formatBytes, formatCount } from '../../../../format';
import { useRequest } from '../../../../session';
import { strings } from '../../../../strings';
import { FailureNote } from '../../../../ui';
import styles from './artifacts.module.css';
import { laidOut, parseRows, previewKind } from './preview-text';

const STRINGS = strings.lab.runPage;

const WORDS = STRINGS.artifacts;
const MOST_TEXT_BYTES = 256 * 1024;
const MOST_PICTURE_BYTES = 8 * 2 ** 20;
const MOST_ROWS = 200;

type Content = RequestOutput<'lab.artifact'>;

/** The object URL lives as long as the element shows it. */
function Picture({ content, path }: { readonly content: Content; readonly path: string }): ReactNode {
  const { bytes, mime } = content;
  const show = useCallback(
    (element: HTMLImageElement) => {
      const url = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: mime }));
      element.src = url;
      return () => URL.revokeObjectURL(url);
    },
    [bytes, mime],
  );
  return <img ref={show} alt={WORDS.picture(path)} className={styles['picture']} />;
}

function Table({ text, path }: { readonly text: string; readonly path: string }): ReactNode {
  const [head = [], ...rows] = parseRows(text, /\.tsv$/i.test(path) ? '\t' : ',', MOST_ROWS + 1);
  return (
    <table className={styles['table']}>
      <thead>
        <tr>
          {head.map((name, index) => (
            <th key={index} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {row.map((cell, at) => (
              <td key={at}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
      {rows.length === MOST_ROWS && <caption>{WORDS.rows(formatCount(MOST_ROWS))}</caption>}
    </table>
  );
}

function Body({ content, path }: { readonly content: Content; readonly path: string }): ReactNode {
  const { bytes, mime, totalBytes } = content;
  const kind = previewKind(path, mime);
  const isCut = bytes.length < totalBytes;
  if (kind === 'none') return <p>{WORDS.noPreview(mime, formatBytes(totalBytes))}</p>;
  if (kind === 'picture')
    return isCut ? (
      <p>{WORDS.tooBig(formatBytes(totalBytes), formatBytes(MOST_PICTURE_BYTES))}</p>
    ) : (
      <Picture content={content} path={path} />
    );
  const text = new TextDecoder().decode(bytes);
  return (
    <>
      {isCut && <p>{WORDS.cut(formatBytes(bytes.length), formatBytes(totalBytes))}</p>}
      {kind === 'table' ? <Table text={text} path={path} /> : <pre>{laidOut(path, text)}</pre>}
    </>
  );
}

/** What is in a file, as far as a look at it needs. */
export function ArtifactPreview({
  run,
  file,
}: {
  readonly run: string;
  readonly file: LabArtifact;
}): ReactNode {
  const { path } = file;
  const isPicture = /\.(png|jpe?g|gif|webp|bmp)$/i.test(path);
  const mostBytes = isPicture ? MOST_PICTURE_BYTES : MOST_TEXT_BYTES;
  const { value, error } = useRequest('lab.artifact', { run, path, mostBytes }, `${run}/${path}`, file.bytes);
  return (
    <div
      role="region"
      tabIndex={0}
      aria-label={WORDS.preview(path)}
      className={styles['preview']}
      data-testid="artifact-preview"
    >
      {error !== undefined && <FailureNote title={WORDS.failedFile(path)} error={error} />}
      {value === undefined && error === undefined && <p>{WORDS.reading}</p>}
      {value !== undefined && <Body content={value} path={path} />}
    </div>
  );
}
