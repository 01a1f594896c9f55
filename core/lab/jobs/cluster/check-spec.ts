import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';

import { formatBytes } from '../../../base';
import { SluiceError } from '../../../contract';
import type { JobNode, JobResources, JobSpec } from '../job-engine';

/**
 * Looks at a job before a cluster does, which would tell of these in the job's log at best. A program named without a
 * path is left to the nodes: only they know what is installed there.
 * @throws SluiceError `bad-input`, with all faults at once; `unsupported` for an image.
 */
export function checkSpec(engine: string, key: string, spec: JobSpec): void {
  if (spec.image !== undefined) {
    throw new SluiceError(
      'unsupported',
      `The ${engine} engine starts no containers, and the job asks for the image ${spec.image}. Leave the image out.`,
    );
  }
  const faults = [...textFaults(key, spec), ...fileFaults(spec)];
  if (faults.length > 0) throw new SluiceError('bad-input', `Not a job: ${faults.join('; ')}.`, { key });
}

function textFaults(key: string, { command, environment, folder, logFile }: JobSpec): string[] {
  const faults: string[] = [];
  if (!/^[A-Za-z0-9-]{1,60}$/.test(key))
    faults.push(`the key "${key.slice(0, 80)}" is not 1 to 60 letters, digits, -`);
  if (command.length === 0 || command[0] === '') faults.push('it names no program');
  const names = Object.keys(environment).filter((name) => !/^[^=\0]+$/.test(name));
  for (const name of names) faults.push(`"${name}" is no name of a variable`);
  const texts = [...command, ...Object.values(environment), folder, logFile];
  if (texts.some((text) => text.includes('\0')))
    faults.push('a program, argument, variable or path holds a NUL');
  for (const path of [folder, logFile]) if (!isAbsolute(path)) faults.push(`${path} is not an absolute path`);
  return faults;
}

function fileFaults({ command: [program = ''], folder }: JobSpec): string[] {
  if (!isAbsolute(folder) || folder.includes('\0')) return [];
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    return [`its folder ${folder} is not there`];
  if (!program.includes('/') || program.includes('\0')) return [];
  const path = resolve(folder, program);
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? [] : [`the program ${path} is not there`];
}

/** @throws SluiceError `bad-input` when no node, taken as a whole, could hold the job. */
export function checkFits(wanted: JobResources, nodes: readonly JobNode[]): void {
  if (nodes.length === 0 || nodes.some(({ total }) => fits(wanted, total))) return;
  const most = nodes.map(({ name, total }) => `${name}: ${describe(total)}`).slice(0, 5);
  const more = nodes.length > 5 ? `; and ${nodes.length - 5} more` : '';
  throw new SluiceError(
    'bad-input',
    `The job asks for ${describe(wanted)}, which no node has (${most.join('; ')}${more}). Ask for less.`,
  );
}

export function fits(wanted: JobResources, free: JobResources): boolean {
  return wanted.cpus <= free.cpus && wanted.gpus <= free.gpus && wanted.memoryBytes <= free.memoryBytes;
}

function describe({ cpus, gpus, memoryBytes }: JobResources): string {
  return `${cpus} CPUs, ${gpus} GPUs, ${formatBytes(memoryBytes)}`;
}
