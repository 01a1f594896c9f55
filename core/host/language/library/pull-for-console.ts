import { hubEndpoint, PUBLIC_HUB } from '../../../llm';
import { systemClock } from '../../host-clock';
import type { PullModel } from './language-models';
import { pullModel } from './pull-model';

/** Downloads from the hub that the environment names, as `sluice models pull` does. */
export function pullForConsole(dataDir: string, env: NodeJS.ProcessEnv): PullModel {
  return async ({ repository, revision, file, name, signal, onProgress }) => {
    const token = env['HF_TOKEN'] || undefined;
    const { model } = await pullModel(dataDir, {
      repo: repository,
      ...(revision !== undefined && { revision }),
      ...(file !== undefined && { file }),
      ...(name !== undefined && { name }),
      hub: {
        endpoint: hubEndpoint(env['HF_ENDPOINT'] || PUBLIC_HUB),
        clock: systemClock,
        signal,
        ...(token !== undefined && { token }),
      },
      onChosen: () => undefined,
      onDownload: ({ path, doneBytes, totalBytes }) =>
        onProgress(`downloading ${path}`, doneBytes, totalBytes),
      onImport: onProgress,
      // The failure's own message says that the next download goes on from what came.
      onKept: () => undefined,
    });
    return model.name;
  };
}
