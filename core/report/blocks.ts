import { markup } from './markup';
import type { Markup, Part } from './markup';

export function section(title: string, ...content: readonly Part[]): Markup {
  return markup`<section><h2>${title}</h2>${content}</section>\n`;
}

export function note(text: Part): Markup {
  return markup`<p class="note">${text}</p>`;
}

/** Large figures side by side; each carries its unit. */
export function figures(values: Readonly<Record<string, Part>>): Markup {
  const items = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [markup`<div><dt>${name}</dt><dd>${value}</dd></div>`],
  );
  return markup`<dl class="figures">${items}</dl>`;
}

/** A list of names and what they are. */
export function facts(values: Readonly<Record<string, Part>>): Markup {
  const items = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [markup`<dt>${name}</dt><dd>${value}</dd>`],
  );
  return markup`<dl class="facts">${items}</dl>`;
}

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Part;
  /** Right-aligned. */
  readonly isNumber?: boolean;
  /** The row's name: read out with each of its cells. */
  readonly isHead?: boolean;
}

export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): Markup {
  const heads = columns.map(
    ({ title, isNumber }) => markup`<th scope="col"${isNumber ? NUMBER : undefined}>${title}</th>`,
  );
  const body = rows.map(
    (row) =>
      markup`<tr>${columns.map(({ cell, isNumber, isHead }) =>
        isHead
          ? markup`<th scope="row">${cell(row)}</th>`
          : markup`<td${isNumber ? NUMBER : undefined}>${cell(row)}</td>`,
      )}</tr>`,
  );
  return markup`<div class="scroll"><table><caption>${caption}</caption><thead><tr>${heads}</tr></thead><tbody>${body}</tbody></table></div>`;
}

const NUMBER = markup` class="n"`;

/** Folded away until it is asked for: the data of a plot, for those who can't see it or want the numbers. */
export function folded(summary: string, content: Part): Markup {
  return markup`<details><summary>${summary}</summary>${content}</details>`;
}
