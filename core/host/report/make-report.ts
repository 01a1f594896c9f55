import type { MadeReport, ReportSubject } from '../../contract';
import {
  fileName,
  labComparison,
  labReport,
  layeringComparison,
  layeringReport,
  renderPage,
} from '../../report';
import type { LabRun, Report } from '../../report';
import type { LabApi } from '../lab/connection/lab-api';
import type { Services } from '../services';
import { labRun } from './lab-data';
import { layeringRun } from './layering-data';
import { provenanceOf } from './provenance';

export interface ReportParts {
  readonly services: Pick<Services, 'runs' | 'planner' | 'info' | 'appRoot'>;
  /** Asked for only where the lab has what is wanted. */
  readonly lab: () => Promise<LabApi>;
  readonly nowMs: number;
}

/** A report about what the console shows. @throws SluiceError `not-found` and what the lab answers. */
export async function makeReport(what: ReportSubject, parts: ReportParts): Promise<MadeReport> {
  const { info, appRoot } = parts.services;
  const report = await reportOf(what, parts);
  const isLab = what.kind === 'labRun' || what.kind === 'labRuns';
  const provenance = provenanceOf({
    appRoot,
    nowMs: parts.nowMs,
    command: commandOf(what),
    ...(!isLab && {
      more: { 'ONNX Runtime': `${info.runtimeVersion}, ${info.instructionSet}, ${info.threads} threads` },
    }),
  });
  const { title, html } = renderPage(report, provenance);
  return { name: fileName(report.kind.split(' ')[0] ?? '', title), title, html };
}

async function reportOf(what: ReportSubject, { services, lab }: ReportParts): Promise<Report> {
  switch (what.kind) {
    case 'run':
      return layeringReport(await layeringRun(services, what.run));
    case 'runs':
      return layeringComparison(await layeringRun(services, what.from), await layeringRun(services, what.to));
    case 'labRun':
      return labReport(await labRun(await lab(), what.run));
    case 'labRuns': {
      const api = await lab();
      const runs: LabRun[] = [];
      for (const run of what.runs) runs.push(await labRun(api, run));
      return labComparison(runs);
    }
  }
}

function commandOf(what: ReportSubject): string {
  switch (what.kind) {
    case 'run':
      return `sluice report run ${what.run}`;
    case 'runs':
      return `sluice report compare ${what.from} ${what.to}`;
    case 'labRun':
      return `sluice report lab-run ${what.run}`;
    case 'labRuns':
      return `sluice report compare ${what.runs.join(' ')}`;
  }
}
