import type { JobRecord, JobStart } from './job-folder';
import { JOB_TOKEN } from './process-tree';

/** What programs need to find their tools and the user's files; nothing else of the server's environment is handed on. */
const HANDED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'LD_LIBRARY_PATH'];

/** Each sets the threads of one family of numeric libraries. */
const THREAD_COUNTS = [
  'OMP_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'MKL_NUM_THREADS',
  'NUMEXPR_NUM_THREADS',
  'VECLIB_MAXIMUM_THREADS',
];

/** The part of the server's environment that jobs see. */
export function baseEnvironment(own: NodeJS.ProcessEnv): Record<string, string> {
  const kept = HANDED_ON.flatMap((name) => {
    const value = own[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(kept);
}

/** @param base as `baseEnvironment` gives it. */
export function programEnvironment(
  base: Readonly<Record<string, string>>,
  { spec, token }: JobRecord,
  { gpuIds }: JobStart,
): Record<string, string> {
  const threads = String(Math.max(1, Math.floor(spec.resources.cpus)));
  return {
    ...base,
    ...Object.fromEntries(THREAD_COUNTS.map((name) => [name, threads])),
    ...spec.environment,
    // Empty hides all of them.
    CUDA_VISIBLE_DEVICES: gpuIds.join(','),
    [JOB_TOKEN]: token,
  };
}
