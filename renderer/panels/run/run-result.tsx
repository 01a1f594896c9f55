import type { ReactNode } from 'react';

import type { RunInput, RunResult } from '../../../core/contract';
import { formatPct, formatShape } from '../../format';
import { strings } from '../../strings';
import { HelpedLabel } from '../../ui';
import type { HelpId } from '../../ui';
import { InputPicture } from './input-picture';
import styles from './run-result.module.css';

const STRINGS = strings.run;

const WORDS = STRINGS.result;
type ResultOf<K extends RunResult['kind']> = Extract<RunResult, { readonly kind: K }>;

function TextLines({ result }: { readonly result: ResultOf<'text'> }): ReactNode {
  if (result.lines.length === 0) return <p className={styles['none']}>{WORDS.noText}</p>;
  return (
    <ol className={styles['lines']}>
      {result.lines.map((line, index) => (
        <li key={index}>
          <span className={styles['text']} data-testid="run-result-line">
            {line.text}
          </span>
          <span className={styles['figure']} title={WORDS.confidence}>
            {formatPct(line.confidence * 100)}
          </span>
        </li>
      ))}
    </ol>
  );
}

function TopClasses({ result }: { readonly result: ResultOf<'classification'> }): ReactNode {
  return (
    <ol className={styles['classes']}>
      {result.top.map((entry) => (
        <li key={entry.index}>
          <span className={styles['text']} data-testid="run-result-line">
            {entry.label}
          </span>
          <span className={styles['figure']}>{formatPct(entry.probability * 100, 1)}</span>
          <span className={styles['track']}>
            <span style={{ width: `${entry.probability * 100}%` }} />
          </span>
        </li>
      ))}
    </ol>
  );
}

/** What the columns with figures tell. */
const HELP: Readonly<Partial<Record<string, HelpId>>> = {
  min: 'run.least',
  max: 'run.most',
  mean: 'run.mean',
};

function Tensors({ result }: { readonly result: ResultOf<'tensors'> }): ReactNode {
  const columns = WORDS.columns;
  const figure = (value: number): string => Number(value.toPrecision(4)).toString();
  return (
    <table className={styles['tensors']}>
      <thead>
        <tr>
          {Object.entries(columns).map(([key, label]) => (
            <th key={key} scope="col" data-number={key in HELP}>
              <HelpedLabel help={HELP[key]}>{label}</HelpedLabel>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {result.outputs.map((output) => (
          <tr key={output.name}>
            <th scope="row" title={output.name}>
              {output.name}
            </th>
            <td>{output.dtype}</td>
            <td>{formatShape(output.shape)}</td>
            <td data-number="true">{figure(output.min)}</td>
            <td data-number="true">{figure(output.max)}</td>
            <td data-number="true">{figure(output.mean)}</td>
            <td className={styles['head']}>{output.head.map(figure).join('  ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface ResultViewProps {
  readonly result: RunResult;
  /** What it was computed from; absent for runs started elsewhere. */
  readonly input: RunInput | undefined;
}

/** The answer: drawn over the picture it is about where there is one. */
export function ResultView({ result, input }: ResultViewProps): ReactNode {
  if (result.kind === 'tensors') {
    return (
      <div className={styles['result']} data-testid="run-result" data-kind={result.kind}>
        <Tensors result={result} />
      </div>
    );
  }
  const quads = result.kind === 'text' ? result.lines.map(({ quad }) => quad) : [];
  return (
    <div className={styles['result']} data-testid="run-result" data-kind={result.kind}>
      {input !== undefined && input.kind !== 'random' && (
        <InputPicture input={input} width={result.width} height={result.height} quads={quads} />
      )}
      {result.kind === 'text' ? <TextLines result={result} /> : <TopClasses result={result} />}
    </div>
  );
}
