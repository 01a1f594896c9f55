import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';

import type { JobNode, JobResources, JobSpec } from './job-engine';
import { fits } from './resources';

/** @throws SluiceError `unsupported` for a job that wants a container. */
export function refuseImage(engine: string, { image }: JobSpec): void {
  if (image === undefined) return;
  throw new SluiceError(
    'unsupported',
    `The ${engine} engine has no containers, and the job asks for the image ${image}. Leave --image out.`,
  );
}

/** @throws SluiceError `bad-input` when no node, taken as a whole, could hold the job. */
export function refuseTooLarge(
  wanted: JobResources,
  nodes: readonly Pick<JobNode, 'name' | 'total'>[],
): void {
  if (nodes.length === 0 || nodes.some(({ total }) => fits(wanted, total))) return;
  const most = nodes.map(({ name, total }) => `${name}: ${describe(total)}`).slice(0, 5);
  const more = nodes.length > 5 ? `; and ${nodes.length - 5} more` : '';
  throw new SluiceError(
    'bad-input',
    `The job asks for ${describe(wanted)}, which no node has (${most.join('; ')}${more}). Ask for less.`,
  );
}

function describe({ cpus, gpus, memoryBytes }: JobResources): string {
  return `${cpus} CPUs, ${gpus} GPUs, ${formatBytes(memoryBytes)}`;
}

/**
 * Looks for a job's folder and program before it is started: later its log would tell of them at best.
 * @param searchPath of the machine it will run on. Without, that is another one: only it knows what a bare name means
 * there, and who may run it.
 * @throws SluiceError `bad-input`.
 */
export function refuseMissing({ command: [program = ''], folder }: JobSpec, searchPath?: string): void {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new SluiceError('bad-input', `The job's folder ${folder} is not there. Make it, or name another.`, {
      folder,
    });
  }
  const isPath = program.includes('/');
  if (!isPath && searchPath === undefined) return;
  const places = isPath
    ? [resolve(folder, program)]
    : (searchPath ?? '').split(delimiter).map((place) => join(place, program));
  const there = places.filter((place) => statSync(place, { throwIfNoEntry: false })?.isFile());
  const [first] = there;
  if (first === undefined) {
    const where = isPath ? places[0]! : `PATH (${searchPath ?? ''})`;
    throw new SluiceError('bad-input', `The program "${program}" was not found: looked in ${where}.`, {
      program,
    });
  }
  if (searchPath === undefined || there.some(isExecutable)) return;
  throw new SluiceError('bad-input', `${first} may not be run. Make it executable: chmod +x.`, { program });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
