import { memo } from 'react';
import type { ReactNode } from 'react';

import type { TextPiece } from '../../../core/contract';
import type { Paragraph, ReplyText } from '../../stores';
import styles from './reply-text.module.css';

/** A run of pieces. Identity tells whether it changed: only the last one of a growing reply does. */
const Chunk = memo(function Chunk({ pieces }: { readonly pieces: readonly TextPiece[] }): ReactNode {
  return pieces.map(({ text, origin }, index) => (
    <span key={index} data-origin={origin}>
      {text}
    </span>
  ));
});

const Line = memo(function Line({ chunks }: Paragraph): ReactNode {
  return (
    <div className={styles['line']}>
      {chunks.map((pieces, index) => (
        <Chunk key={index} pieces={pieces} />
      ))}
    </div>
  );
});

/** A message as plain text, never as markup; each token says where it comes from, which the style may underline. */
export const ReplyTextView = memo(function ReplyTextView({ text }: { readonly text: ReplyText }): ReactNode {
  return (
    <div className={styles['text']} data-testid="message-text">
      {text.paragraphs.map(({ chunks }, index) => (
        <Line key={index} chunks={chunks} />
      ))}
    </div>
  );
});
