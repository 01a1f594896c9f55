import type { ReactNode } from 'react';

import type { CacheMemory } from '../../../core/contract';
import { formatBytes, formatBytesOf, formatFixed } from '../../format';
import { strings } from '../../strings';
import { Help, SegmentBar } from '../../ui';
import styles from './pictures.module.css';

const STRINGS = strings.language;

const WORDS = STRINGS.memory;

function Bars({ memory }: { readonly memory: CacheMemory }): ReactNode {
  const {
    budgetBytes,
    compressedBytes,
    residentBytes,
    streamBytes,
    storedBytes,
    draftModelBytes,
    streamedWeights,
  } = memory;
  const parts = [
    { kind: 'compressed', name: WORDS.compressed, hint: WORDS.hints.compressed, bytes: compressedBytes },
    { kind: 'resident', name: WORDS.resident, hint: WORDS.hints.resident, bytes: residentBytes },
    { kind: 'stream', name: WORDS.stream, hint: WORDS.hints.stream, bytes: streamBytes },
  ] as const;
  const heldBytes = compressedBytes + residentBytes + streamBytes;
  const wholeBytes = Math.max(budgetBytes, heldBytes);
  const label = parts.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`).join(', ');
  return (
    <>
      <SegmentBar className={styles['memory-bar']} parts={parts} wholeBytes={wholeBytes} label={label} />
      <ul className={styles['legend']}>
        {parts.map(({ kind, name, hint, bytes }) => (
          <li key={kind} data-kind={kind} title={hint}>
            {name} <b>{formatBytes(bytes)}</b>
          </li>
        ))}
        <li data-kind="free">
          {WORDS.free} <b>{formatBytes(wholeBytes - heldBytes)}</b>
        </li>
      </ul>
      <p className={styles['stored']} data-testid="cache-stored">
        <i data-kind="stored" /> {WORDS.stored} <b>{formatBytes(storedBytes)}</b>
        {heldBytes > 0 && storedBytes > heldBytes && (
          <span>{WORDS.times(formatFixed(storedBytes / heldBytes, 1))}</span>
        )}
      </p>
      {streamedWeights !== undefined && (
        <p className={styles['stored']} data-testid="streamed-weights">
          {WORDS.weights}{' '}
          <b>
            {WORDS.weightsOf(
              formatBytes(streamedWeights.budgetBytes),
              formatBytes(streamedWeights.weightBytes),
            )}
          </b>
          {streamedWeights.readBytesPerPass !== undefined && (
            <span>{WORDS.weightsRead(formatBytes(streamedWeights.readBytesPerPass))}</span>
          )}
        </p>
      )}
      {draftModelBytes !== undefined && (
        <p className={styles['stored']} data-testid="draft-model-memory">
          {WORDS.draftModel} <b>{formatBytes(draftModelBytes)}</b>
        </p>
      )}
    </>
  );
}

/** Memory of the caches against their budget, by what holds it, and beside it what lies on disk. */
export function MemoryPicture({ memory }: { readonly memory: CacheMemory | undefined }): ReactNode {
  const heldBytes =
    memory === undefined ? 0 : memory.compressedBytes + memory.residentBytes + memory.streamBytes;
  return (
    <section className={styles['picture']} aria-label={WORDS.title} data-testid="cache-memory">
      <header>
        <h3>
          <Help id="language.memory">{WORDS.title}</Help>
        </h3>
        {memory !== undefined && (
          <span className={styles['figure']}>
            {memory.budgetBytes > 0 ? formatBytesOf(heldBytes, memory.budgetBytes) : formatBytes(heldBytes)}
          </span>
        )}
      </header>
      {memory === undefined ? <p className={styles['none']}>{WORDS.none}</p> : <Bars memory={memory} />}
    </section>
  );
}
