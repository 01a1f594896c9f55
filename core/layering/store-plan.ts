import { SluiceError, type MemoryDelayCurve, type PipelineMode, type PlanDetail } from '../contract';
import { readManifest } from './manifest';
import { memoryDelayCurve as curveOf, planProgram } from './plan';
import { readMeasured, readProfile } from './profile-file';

/** The memory-delay curve of a store. @throws SluiceError `not-found` before its profiling run. */
export async function memoryDelayCurve(storePath: string, mode: PipelineMode): Promise<MemoryDelayCurve> {
  const manifest = readManifest(storePath);
  const profile = readProfile(storePath);
  if (!profile) {
    throw new SluiceError(
      'not-found',
      `${manifest.source.file} was not profiled yet; import it again or profile it.`,
    );
  }
  return curveOf(manifest, profile, mode, readMeasured(storePath));
}

/** What a budget would give. @throws SluiceError `budget-too-small` with `details.minimumBytes`. */
export function planDetail(storePath: string, mode: PipelineMode, budgetBytes: number): PlanDetail {
  return planProgram(readManifest(storePath), readProfile(storePath), mode, budgetBytes).detail;
}
