import { memo } from 'react';
import type { ReactNode } from 'react';

import type { Chunk, Paragraph, ReplyText, Section } from '../../stores';
import styles from './reply-text.module.css';

/*
 * Identity tells what changed: of a growing reply only its last section, there its last line, there its last chunk.
 */
const ChunkView = memo(function ChunkView({ chunk }: { readonly chunk: Chunk }): ReactNode {
  return chunk.map(({ text, origin }, index) => (
    <span key={index} data-origin={origin}>
      {text}
    </span>
  ));
});

const Line = memo(function Line({ paragraph }: { readonly paragraph: Paragraph }): ReactNode {
  return (
    <div className={styles['line']}>
      {paragraph.map((chunk, index) => (
        <ChunkView key={index} chunk={chunk} />
      ))}
    </div>
  );
});

const SectionView = memo(function SectionView({ section }: { readonly section: Section }): ReactNode {
  return section.map((paragraph, index) => <Line key={index} paragraph={paragraph} />);
});

/** A message as plain text, never as markup; each token says where it comes from, which the style may underline. */
export const ReplyTextView = memo(function ReplyTextView({ text }: { readonly text: ReplyText }): ReactNode {
  return (
    <div className={styles['text']} data-testid="message-text">
      {text.sections.map((section, index) => (
        <SectionView key={index} section={section} />
      ))}
    </div>
  );
});
