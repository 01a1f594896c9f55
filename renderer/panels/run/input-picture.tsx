import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';

import type { Quad, RunInput } from '../../../core/contract';
import { FailureNote } from '../../ui';
import styles from './run-result.module.css';
import { inputKey } from './run-actions';
import { STRINGS } from './strings';
import { useRequest } from './use-request';

/** An object URL for bytes, revoked when they change or the component goes. */
function useObjectUrl(bytes: Uint8Array | undefined, mime: string): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (bytes === undefined) return;
    const created = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: mime }));
    setUrl(created);
    return () => URL.revokeObjectURL(created);
  }, [bytes, mime]);
  return url;
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
  const url = useObjectUrl(image.value?.bytes, image.value?.mime ?? 'image/png');
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
      {url !== undefined && <image href={url} width={width} height={height} />}
      {quads.map((quad, index) => (
        <polygon key={index} points={quadPoints(quad)} vectorEffect="non-scaling-stroke" />
      ))}
    </svg>
  );
}
