import { useCallback } from 'react';
import type { ReactNode } from 'react';

import type { Quad, RunInput } from '../../../core/contract';
import { strings } from '../../strings';
import { FailureNote } from '../../ui';
import { useRequest } from '../../session';
import styles from './run-result.module.css';
import { inputKey } from './run-actions';

const STRINGS = strings.run;

interface BytesImageProps {
  readonly bytes: Uint8Array;
  readonly mime: string;
  readonly width: number;
  readonly height: number;
}

/** The picture's bytes as an SVG image; their object URL lives as long as the element shows them. */
function BytesImage({ bytes, mime, width, height }: BytesImageProps): ReactNode {
  const show = useCallback(
    (element: SVGImageElement) => {
      const url = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: mime }));
      element.setAttribute('href', url);
      return () => URL.revokeObjectURL(url);
    },
    [bytes, mime],
  );
  return <image ref={show} width={width} height={height} />;
}

function quadPoints(quad: Quad): string {
  return [0, 2, 4, 6].map((at) => `${quad[at]},${quad[at + 1]}`).join(' ');
}

interface InputPictureProps {
  readonly input: RunInput;
  /** Size of the picture in its own pixels; quads are in the same. */
  readonly width: number;
  readonly height: number;
  readonly quads: readonly Quad[];
}

/** The picture a result is about, with the quads found in it. */
export function InputPicture({ input, width, height, quads }: InputPictureProps): ReactNode {
  const image = useRequest('inputs.image', { input }, inputKey(input));
  if (image.error !== undefined)
    return <FailureNote title={STRINGS.result.imageFailed} error={image.error} />;
  return (
    <svg
      className={styles['picture']}
      style={{ width: `min(62%, calc(60vh * ${width / height}))` }}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={STRINGS.input}
    >
      {image.value !== undefined && <BytesImage {...image.value} width={width} height={height} />}
      {quads.map((quad, index) => (
        <polygon key={index} points={quadPoints(quad)} vectorEffect="non-scaling-stroke" />
      ))}
    </svg>
  );
}
