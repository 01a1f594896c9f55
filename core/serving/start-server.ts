import type { InferenceServer, InferenceServerOptions } from './server/inference-server';

/**
 * Serves models by the Open Inference Protocol v2. The server's libraries load at the first call: they need Node 20,
 * while whoever wants the client alone may run in an older Electron.
 * @throws SluiceError `bad-input` for an address others can reach without a token, a short token, an unusable address
 *   or certificate; `conflict` when a port is taken.
 */
export async function startInferenceServer(options: InferenceServerOptions): Promise<InferenceServer> {
  const { openInferenceServer } = await import('./server/inference-server');
  return openInferenceServer(options);
}
