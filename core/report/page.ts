import { createHash } from 'node:crypto';

import { facts } from './blocks';
import { formatTime } from './format';
import { Markup, markup } from './markup';
import type { Part } from './markup';
import { STYLE } from './style';

/** Where the figures of a report come from. */
export interface Provenance {
  /** ISO 8601, when the report was made. */
  readonly madeAt: string;
  /** Of Sluice. */
  readonly version: string;
  /** Of its source, where it is known. */
  readonly commit?: string;
  readonly machine?: string;
  /** What makes the report again. */
  readonly command?: string;
  /** More, e.g. `ONNX Runtime` and its version. */
  readonly more?: Readonly<Record<string, string>>;
}

/** A report to be written as a page. */
export interface Report {
  /** `Run of a network`, `Benchmark`, ... */
  readonly kind: string;
  readonly title: string;
  readonly lead: Part;
  readonly sections: readonly Markup[];
}

export interface ReportPage {
  readonly title: string;
  /** One whole file: no script, nothing from elsewhere. */
  readonly html: string;
}

/** Nothing but this style sheet: no script runs, nothing is fetched, whatever the texts are. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

export function renderPage(report: Report, provenance: Provenance): ReportPage {
  const { kind, title, lead, sections } = report;
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="Sluice ${provenance.version}">
<title>${title}: ${kind}, Sluice</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header class="top"><p class="kind">${kind}</p><h1>${title}</h1><p class="lead">${lead}</p></header>
<main>
${sections}
${provenanceSection(provenance)}
</main>
<footer>Made by Sluice ${provenance.version} on ${formatTime(provenance.madeAt)}. This file is whole: it holds no script and fetches nothing.</footer>
</body>
</html>
`;
  return { title, html: page.html };
}

function provenanceSection({ madeAt, version, commit, machine, command, more = {} }: Provenance): Markup {
  const rows = {
    Made: formatTime(madeAt),
    Sluice: commit === undefined ? version : `${version}, commit ${commit}`,
    ...(machine !== undefined && { Machine: machine }),
    ...more,
    ...(command !== undefined && { Command: markup`<code>${command}</code>` }),
  };
  return markup`<section class="keep"><h2>Where this comes from</h2>${facts(rows)}</section>`;
}
