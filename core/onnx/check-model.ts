import { SluiceError } from '../contract';
import type { OnnxGraph, OnnxModel, OnnxNode } from './model';
import { subgraphs, topologicalOrder } from './queries';

/** Enough to mend a model; a broken one can have a fault in every node. */
const MAX_FAULTS = 100;

/**
 * Every structural fault of a model at once: operator sets not imported, names used but never defined, names defined
 * twice, outputs never made, cycles. Operators' own rules are ONNX Runtime's business.
 * @returns one sentence a fault; empty for a sound model.
 */
export function checkModel(model: OnnxModel): string[] {
  const faults: string[] = [];
  const domains = new Set(model.opsets.map((opset) => opset.domain));
  if (model.opsets.length === 0)
    faults.push('the model imports no operator set; expected at least one opset_import');
  checkGraph(model.graph, { domains, faults, outer: () => false, path: `graph '${model.graph.name}'` });
  if (faults.length <= MAX_FAULTS) return faults;
  return [...faults.slice(0, MAX_FAULTS), `and ${faults.length - MAX_FAULTS} more faults`];
}

interface Scope {
  readonly domains: ReadonlySet<string>;
  readonly faults: string[];
  /** Names the surrounding graphs define before this one runs. */
  readonly outer: (name: string) => boolean;
  readonly path: string;
}

function checkGraph(graph: OnnxGraph, scope: Scope): void {
  const { faults, path } = scope;
  const defined = new Set<string>();
  const define = (name: string, what: string): void => {
    if (defined.has(name)) faults.push(`${path}: '${name}' is defined twice, the second time as ${what}`);
    defined.add(name);
  };
  for (const value of graph.inputs) define(value.name, 'an input');
  const inputs = new Set(defined);
  // Up to IR version 3 every initializer was an input too; later ones may be, as its default.
  for (const { name } of graph.initializers) if (!inputs.has(name)) define(name, 'an initializer');
  reportDuplicates(graph, faults, path);
  const madeLater = new Set(graph.nodes.flatMap((node) => node.outputs));
  for (const node of graph.nodes) {
    checkNode(node, scope, defined, madeLater);
    for (const name of node.outputs) if (name !== '') define(name, `an output of ${describe(node)}`);
  }
  for (const { name } of graph.outputs) {
    if (!defined.has(name) && !scope.outer(name)) faults.push(`${path}: output '${name}' is never made`);
  }
  reportCycle(graph, faults);
}

function checkNode(
  node: OnnxNode,
  scope: Scope,
  defined: ReadonlySet<string>,
  madeLater: ReadonlySet<string>,
): void {
  const where = `${scope.path}: ${describe(node)}`;
  if (node.opType === '') scope.faults.push(`${where} has no operator`);
  if (scope.domains.size > 0 && !scope.domains.has(node.domain)) {
    scope.faults.push(`${where}: the model does not import operator set '${node.domain || 'ai.onnx'}'`);
  }
  for (const name of new Set(node.inputs)) {
    if (name === '' || defined.has(name) || scope.outer(name)) continue;
    scope.faults.push(
      madeLater.has(name)
        ? `${where} uses '${name}' before it is made`
        : `${where} uses '${name}', which nothing defines`,
    );
  }
  const inner = subgraphs(node);
  if (inner.length === 0) return;
  const outer = (name: string): boolean => defined.has(name) || scope.outer(name);
  for (const graph of inner) checkGraph(graph, { ...scope, outer, path: `${where} > graph '${graph.name}'` });
}

function reportDuplicates(graph: OnnxGraph, faults: string[], path: string): void {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of graph.initializers) (seen.has(name) ? twice : seen).add(name);
  const inputs = new Set(graph.inputs.map((value) => value.name));
  // The others are reported where they are defined.
  for (const name of twice)
    if (inputs.has(name)) faults.push(`${path}: initializer '${name}' is given twice`);
}

function reportCycle(graph: OnnxGraph, faults: string[]): void {
  try {
    topologicalOrder(graph);
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    faults.push(thrown.message);
  }
}

function describe(node: OnnxNode): string {
  return `node '${node.name || node.outputs[0] || '?'}' (${node.opType})`;
}
